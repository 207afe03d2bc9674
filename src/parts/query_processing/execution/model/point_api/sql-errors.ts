/** Errors of the log, the engine and commands in the terms of SQL. */
import { errorCodeOf } from "../../../../../kit/errors.ts";
import type { CommandError } from "../../../../concurrency/transaction/command.ts";
import { SqlError, type SqlErrorReason } from "../../../executor.ts";

const reasonOfCode: Readonly<Record<string, SqlErrorReason>> = {
  BACKPRESSURE: "limit_exceeded",
  CLOSED: "shutting_down",
  CORRUPTION: "corruption",
  DISK_FULL: "disk_full",
  LIMIT_EXCEEDED: "limit_exceeded",
  READ_ONLY: "read_only",
};

/** Anything thrown as a SqlError; what is not known is "internal", with no details for the client. */
export function toSqlError(thrown: unknown): SqlError {
  if ((thrown as { code?: unknown } | undefined)?.code === "SQL") return thrown as SqlError;
  const code = errorCodeOf(thrown);
  const reason = code === undefined ? undefined : reasonOfCode[code];
  if (reason === undefined) {
    return new SqlError("internal", "an internal error; the server's log has the details");
  }
  return new SqlError(reason, (thrown as Error).message);
}

export function commandRefused(error: CommandError): SqlError {
  switch (error.reason) {
    case "duplicate_key":
      return new SqlError("duplicate_key", `Duplicate entry ${error.message} for key 'PRIMARY'`);
    case "table_missing":
      return new SqlError("unknown_table", error.message);
    case "null_in_key":
      return new SqlError("null_not_allowed", error.message);
    case "table_exists":
    case "index_exists":
    case "index_missing":
    case "value_too_long":
    case "null_not_allowed":
    case "out_of_range":
    case "overflow":
    case "division_by_zero":
    case "conflict":
    case "limit_exceeded":
      return new SqlError(error.reason, error.message);
  }
}
