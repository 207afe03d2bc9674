/**
 * From a contract to its parts: the list written by hand that stands in for selection until the feature model decides.
 *
 * Each role of the wiring has at most one part; which one, and whether it is there at all, follows from the contract.
 */
import type { Contract } from "../contract/contract.ts";
import { engineChoice } from "../contract/engine-choice.ts";
import { LatheError } from "../kit/errors.ts";
import type { PartDescriptor } from "./part-descriptor.ts";

/** What a part is in the wiring of a product. */
export type Role =
  | "engine" | "log" | "layout" | "catalog" | "stateMachine" | "replicatedLog" | "rowCache" | "parser" | "executor"
  | "secondaryIndexes" | "openTransactions" | "syncPolicy"
  | "keyValueStore" | "tokenAuthority" | "keyValueApi" | "httpSurface"
  | "mysqlSurface" | "metricsEndpoint" | "embeddedLibrary";

interface RoleRule {
  readonly role: Role;
  /** Folder of the part, below `src/parts`. */
  readonly path: string;
  readonly wanted?: (contract: Contract) => boolean;
}

/** A library in its user's process, and nothing beside it. */
export const isEmbedded = ({ surface }: Contract) => surface.protocols.includes("embedded");
const isServer = (contract: Contract) => !isEmbedded(contract);
const overHttp = ({ surface }: Contract) => surface.protocols.includes("http");

const rules: readonly RoleRule[] = [
  {
    role: "engine",
    path: "storage/storage_model/row/kvlsm/blackboard",
    wanted: (contract) => engineChoice(contract).leaf === "storage/storage_model/row/kvlsm/blackboard",
  },
  {
    role: "engine",
    path: "storage/storage_model/memory",
    wanted: (contract) => engineChoice(contract).leaf === "storage/storage_model/memory",
  },
  { role: "log", path: "core/wal" },
  { role: "layout", path: "storage/layout/row_to_kv" },
  { role: "catalog", path: "architecture/catalog/kv_encoded" },
  { role: "stateMachine", path: "concurrency/transaction/model/one_shot_command" },
  { role: "replicatedLog", path: "replication/single_node" },
  {
    role: "rowCache",
    path: "storage/page_io/replacement/lru",
    wanted: (contract) => isServer(contract) && contract.caching.rowCache === "lru",
  },
  {
    role: "rowCache",
    path: "storage/page_io/replacement/w_tinylfu",
    wanted: (contract) => isServer(contract) && contract.caching.rowCache === "w_tinylfu",
  },
  {
    role: "secondaryIndexes",
    path: "indexing/equality/kv_secondary",
    wanted: ({ data }) => data.tables.some(({ indexes }) => indexes !== undefined && indexes.length > 0),
  },
  {
    role: "openTransactions",
    path: "concurrency/transaction/model/single_node_acid",
    wanted: (contract) => isServer(contract) && contract.consistency.transactions === "interactive",
  },
  {
    role: "syncPolicy",
    path: "recovery/auxiliary/relaxed_sync",
    wanted: ({ storage }) => storage.durability === "interval",
  },
  { role: "parser", path: "parser/implementation/recursive_descent", wanted: isServer },
  { role: "executor", path: "query_processing/execution/model/point_api", wanted: isServer },
  { role: "keyValueStore", path: "concurrency/transaction/model/single_operation", wanted: overHttp },
  { role: "tokenAuthority", path: "architecture/security/authentication/auth_token", wanted: overHttp },
  { role: "keyValueApi", path: "parser/api_dialect/kv_http", wanted: overHttp },
  { role: "httpSurface", path: "architecture/networking/transports/http", wanted: overHttp },
  {
    role: "mysqlSurface",
    path: "architecture/networking/wire_protocols/mysql_classic",
    wanted: (contract) => contract.surface.protocols.includes("mysql"),
  },
  { role: "metricsEndpoint", path: "architecture/observability/metrics_endpoint", wanted: isServer },
  { role: "embeddedLibrary", path: "architecture/model/embedded_library", wanted: isEmbedded },
];

export type SelectedParts = Readonly<Partial<Record<Role, PartDescriptor>>>;

/** Errors: NOT_SELECTED where the library lacks a part that the contract needs. */
export function selectParts(contract: Contract, library: readonly PartDescriptor[]): SelectedParts {
  const selected: Partial<Record<Role, PartDescriptor>> = {};
  for (const { role, path, wanted } of rules) {
    if (wanted !== undefined && !wanted(contract)) continue;
    const part = library.find((one) => one.path === path);
    if (part === undefined) {
      throw new LatheError(
        "NOT_SELECTED",
        `the parts library has no part at ${path}, which ${contract.name} needs (${role})`,
      );
    }
    selected[role] = part;
  }
  return selected;
}
