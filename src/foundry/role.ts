/**
 * Roles: the places in the wiring of a product that a part can take, and what the wiring calls of it.
 *
 * A part says in its `part.yaml` which role it takes and what stands behind each slot: the name of an export of its
 * entry, or `file.ts#name` of a file beside it. So a stranger's part can take a role under names of its own.
 */
export interface RoleSpec {
  /** A clause for people. */
  readonly purpose: string;
  /** Port file, relative to `src/parts`, that tells what a part in this role has to do. */
  readonly port: string;
  /** What a part must export for the wiring. */
  readonly slots: readonly string[];
  /** What it may: the wiring uses these where they are there, or where another role asks for them. */
  readonly optionalSlots: readonly string[];
}

const spec = (purpose: string, port: string, slots: string[], optionalSlots: string[] = []): RoleSpec => ({
  purpose, port, slots, optionalSlots,
});

/** In the order in which a product opens them. */
export const roles = {
  engine: spec("keeps keys and values in order", "storage/engine.ts", ["open"], ["tuning"]),
  log: spec("keeps what is acknowledged on the device", "core/durable-log.ts", ["open", "copy"]),
  layout: spec("turns rows into keys and values", "storage/layout/row-layout.ts", ["layout"]),
  catalog: spec("knows the tables", "architecture/catalog/catalog-store.ts", ["create"]),
  stateMachine: spec("applies commands", "concurrency/transaction/command.ts", ["create", "codec"], ["steps"]),
  replicatedLog: spec("orders commands and applies them", "replication/replicated-log.ts", ["open"]),
  syncPolicy: spec("decides when the log is flushed", "recovery/sync-policy.ts", ["create"], ["facts", "health"]),
  rowCache: spec("keeps rows that are read often", "storage/page_io/cache.ts", ["create"]),
  secondaryIndexes: spec("finds rows by other columns", "indexing/secondary-indexes.ts", ["indexes"]),
  openTransactions: spec(
    "keeps transactions open between statements", "concurrency/transaction/interactive-transactions.ts", ["create"],
  ),
  parser: spec("reads statements", "parser/statement-parser.ts", ["parser"], ["create"]),
  executor: spec("answers statements", "query_processing/executor.ts", ["create"], ["indexedPlans"]),
  keyValueStore: spec(
    "puts, gets and deletes one key at a time", "concurrency/transaction/key-value-store.ts", ["machine", "open"],
    ["share"],
  ),
  tokenAuthority: spec("issues and checks tokens", "architecture/security/token-authority.ts", ["create"]),
  keyValueApi: spec("maps HTTP requests to keys", "architecture/networking/http-application.ts", ["create"]),
  httpSurface: spec("serves HTTP", "architecture/networking/surface.ts", ["open"]),
  mysqlSurface: spec("serves MySQL's protocol", "architecture/networking/surface.ts", ["open"]),
  metricsEndpoint: spec("serves metrics", "architecture/networking/surface.ts", ["open"]),
  embeddedLibrary: spec(
    "gives a host program typed tables", "storage/engine.ts", ["open", "store", "table"],
  ),
} as const satisfies Readonly<Record<string, RoleSpec>>;

export type Role = keyof typeof roles;

export const roleNames = Object.keys(roles) as [Role, ...Role[]];

export function roleSpec(role: Role): RoleSpec {
  return roles[role];
}
