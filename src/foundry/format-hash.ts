/**
 * The format hash of a product: which formats its files on disk have. It stands in the header of every file, and a
 * product opens only files with its own; the selection's hash says what was built, and stands in no file.
 *
 * It covers name and path of the parts in the roles whose bytes another start, or another product, reads:
 *   - engine: tables, manifests, snapshots; log: segments; replicatedLog: the entries in them;
 *   - stateMachine: the commands in the entries, which a replay applies; keyValueStore: commands of its own beside
 *     them, and rows that expire by the entries' time;
 *   - layout: rows as keys and values; catalog: the tables' definitions; secondaryIndexes: entries beside the rows,
 *     which a product without the part would leave behind at every write.
 * Not in it, as nothing of theirs is on disk: caches, parser, executor, surfaces, tokens, metrics; openTransactions,
 * whose commits are the state machine's commands; syncPolicy, which decides when the log is flushed;
 * embeddedLibrary, which calls the same state machine. Nor are tables, which are data, and knobs.
 * Leaves are not in it either: those that a part brings come with it always, and those that it offers, as an isolation
 * level, are served by the same code. What changes within a part is its files' own format version.
 * Invariant: the order of roles alone decides the order of what is hashed; products of the same parts in these roles
 * have the same hash, whatever else they hold.
 */
import { canonicalHash } from "../contract/canonical-json.ts";
import type { SelectedParts } from "./composition.ts";
import { type Role, roleNames } from "./role.ts";

/** Which of the roles decide formats on disk; a new role has to say it here. */
const writesBytes: Readonly<Record<Role, boolean>> = {
  engine: true,
  log: true,
  layout: true,
  catalog: true,
  stateMachine: true,
  replicatedLog: true,
  secondaryIndexes: true,
  keyValueStore: true,
  syncPolicy: false,
  rowCache: false,
  openTransactions: false,
  parser: false,
  executor: false,
  tokenAuthority: false,
  keyValueApi: false,
  httpSurface: false,
  mysqlSurface: false,
  metricsEndpoint: false,
  embeddedLibrary: false,
};

/** 64 lower-case hex digits. */
export function formatHashOf(selected: SelectedParts): string {
  const formats = roleNames.flatMap((role) => {
    const part = writesBytes[role] ? selected[role] : undefined;
    return part === undefined ? [] : [{ role, name: part.name, path: part.path }];
  });
  return canonicalHash({ formats });
}
