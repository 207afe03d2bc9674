/**
 * Errors as MySQL clients know them: number, SQLSTATE, message.
 *
 * Two tables: errors of SQL by the executor's reason, and errors of the protocol itself. Numbers
 * are MySQL's own, chosen so that a client which retries, reconnects or reports by number does the
 * right thing.
 * Source: MySQL's messages_to_clients.txt.
 */
import { errorCodeOf } from "../../../../../kit/errors.ts";
import type { ErrorCode } from "../../../../../kit/errors.ts";
import type { SqlError, SqlErrorReason } from "../../../../query_processing/executor.ts";

export interface WireError {
  readonly number: number;
  readonly state: string;
  readonly message: string;
}

interface WireErrorKind {
  readonly number: number;
  readonly state: string;
}

export const sqlErrorKinds: { readonly [reason in SqlErrorReason]: WireErrorKind } = {
  syntax: { number: 1064, state: "42000" },
  not_selected: { number: 1235, state: "42000" },
  not_served: { number: 1235, state: "42000" },
  unknown_table: { number: 1146, state: "42S02" },
  unknown_column: { number: 1054, state: "42S22" },
  table_exists: { number: 1050, state: "42S01" },
  index_exists: { number: 1061, state: "42000" },
  index_missing: { number: 1091, state: "42000" },
  duplicate_key: { number: 1062, state: "23000" },
  wrong_value_count: { number: 1136, state: "21S01" },
  wrong_parameter_count: { number: 1210, state: "HY000" },
  out_of_range: { number: 1264, state: "22003" },
  value_too_long: { number: 1406, state: "22001" },
  null_not_allowed: { number: 1048, state: "23000" },
  overflow: { number: 1690, state: "22003" },
  division_by_zero: { number: 1365, state: "22012" },
  auto_column: { number: 1075, state: "42000" },
  conflict: { number: 1213, state: "40001" },
  read_only_transaction: { number: 1792, state: "25006" },
  time_exceeded: { number: 3024, state: "HY000" },
  transaction_in_progress: { number: 1568, state: "25001" },
  savepoint_missing: { number: 1305, state: "42000" },
  table_locked: { number: 1099, state: "HY000" },
  table_not_locked: { number: 1100, state: "HY000" },
  limit_exceeded: { number: 3170, state: "HY000" },
  unknown_thread: { number: 1094, state: "HY000" },
  read_only: { number: 1290, state: "HY000" },
  disk_full: { number: 1021, state: "HY000" },
  corruption: { number: 1712, state: "HY000" },
  shutting_down: { number: 1053, state: "08S01" },
  internal: { number: 1105, state: "HY000" },
};

export const protocolErrorKinds = {
  too_many_connections: { number: 1040, state: "08004" },
  out_of_resources: { number: 1041, state: "HY000" },
  handshake: { number: 1043, state: "08S01" },
  access_denied: { number: 1045, state: "28000" },
  unknown_command: { number: 1047, state: "08S01" },
  empty_query: { number: 1065, state: "42000" },
  several_statements: { number: 1064, state: "42000" },
  shutting_down: { number: 1053, state: "08S01" },
  packet_too_large: { number: 1153, state: "08S01" },
  out_of_order: { number: 1156, state: "08S01" },
  wrong_arguments: { number: 1210, state: "HY000" },
  unknown_statement: { number: 1243, state: "HY000" },
  invalid_text: { number: 1300, state: "HY000" },
  too_many_statements: { number: 1461, state: "42000" },
  unknown_thread: { number: 1094, state: "HY000" },
  interrupted: { number: 1317, state: "70100" },
  no_open_cursor: { number: 1421, state: "HY000" },
  insecure_transport: { number: 3159, state: "HY000" },
  malformed: { number: 1835, state: "HY000" },
  result_too_large: { number: 3170, state: "HY000" },
  internal: { number: 1105, state: "HY000" },
} as const satisfies Record<string, WireErrorKind>;

export type ProtocolErrorKind = keyof typeof protocolErrorKinds;

export function protocolError(kind: ProtocolErrorKind, message: string): WireError {
  return { ...protocolErrorKinds[kind], message };
}

/** What an operation's code means to a client of SQL. Codes that are not here are internal. */
const reasonOfCode: { readonly [code in ErrorCode]?: SqlErrorReason } = {
  BACKPRESSURE: "limit_exceeded",
  CLOSED: "shutting_down",
  CORRUPTION: "corruption",
  DISK_FULL: "disk_full",
  LIMIT_EXCEEDED: "limit_exceeded",
  NOT_SELECTED: "not_selected",
  READ_ONLY: "read_only",
};

/** The wire's form of an error of the executor. */
export function wireErrorOfSql(error: SqlError): WireError {
  const kind = sqlErrorKinds[error.reason] ?? sqlErrorKinds.internal;
  const leaf = error.leaf;
  const message = leaf === undefined || error.message.includes(leaf)
    ? error.message
    : `${error.message} (needs ${leaf}, which this product does not contain)`;
  return { ...kind, message };
}

/**
 * The wire's form of anything thrown. The message of a bug stays in the log: it may name paths or
 * hold data, and it is of no use to a client.
 */
export function wireErrorOfThrown(thrown: unknown): WireError {
  const code = (thrown as { code?: unknown } | null | undefined)?.code;
  if (code === "SQL") return wireErrorOfSql(thrown as SqlError);
  const known = errorCodeOf(thrown);
  const reason = known === undefined ? undefined : reasonOfCode[known];
  if (reason !== undefined) return { ...sqlErrorKinds[reason], message: (thrown as Error).message };
  return protocolError("internal", "the server failed to run this statement; its log says why");
}
