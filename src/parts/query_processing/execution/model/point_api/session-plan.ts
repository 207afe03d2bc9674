/**
 * What the server says of itself and of the session: `SELECT @@x`, `SELECT DATABASE()`, SET, USE, KILL.
 *
 * SET is accepted and changes nothing, except where that would promise something: autocommit off is a transaction that
 * stays open, an isolation level is given where it is more than what all transactions have. USE gives the one database
 * the name that the session calls it. Variables answer with what is true of this server; they are looked up when a
 * statement runs, for some are the session's.
 */
import type { ColumnValue } from "../../../../architecture/catalog/table.ts";
import type {
  SelectValuesStatement,
  SessionStatement,
  SessionValue,
  SetAssignment,
} from "../../../../parser/statement.ts";
import {
  notSelected,
  type ResultColumn,
  type ResultShape,
  type ResultSink,
  type SessionView,
  SqlError,
} from "../../../executor.ts";
import {
  type ExecutorLimits,
  type RunDoors,
  serializableName,
  type SessionPlan,
  type SessionState,
  type SettingsPlan,
} from "./plan.ts";
import { serverVariables } from "./server-variables.ts";

class ValuesPlan implements SessionPlan {
  readonly kind = "session";
  readonly label = "session";
  readonly shape: ResultShape;
  readonly #row: (session: SessionView | undefined, state: SessionState | undefined) => readonly ColumnValue[];

  constructor(
    columns: readonly ResultColumn[],
    row: (session: SessionView | undefined, state: SessionState | undefined) => readonly ColumnValue[],
  ) {
    this.shape = { columns };
    this.#row = row;
  }

  run(sink: ResultSink, _parameters: readonly ColumnValue[], state?: SessionState): void {
    const row = this.#row(sink.session, state);
    sink.rows(this.shape);
    sink.valueRow(row);
    sink.end();
  }
}

class DonePlan implements SessionPlan {
  readonly kind = "session";
  readonly label = "session";
  readonly shape = undefined;
  readonly #act: (session: SessionView | undefined) => void;

  constructor(act: (session: SessionView | undefined) => void) {
    this.#act = act;
  }

  run(sink: ResultSink): void {
    this.#act(sink.session);
    sink.done({ affectedRows: 0, matchedRows: 0, info: "" });
  }
}

export const nothingToDo: SessionPlan = new DonePlan(() => undefined);

export function planSelectValues(statement: SelectValuesStatement, limits: ExecutorLimits): SessionPlan {
  const rowOf = (session: SessionView | undefined, state: SessionState | undefined) => {
    const variables = new Map([...serverVariables(limits, session), ...(state?.variables() ?? [])]);
    return statement.items.map(({ value }) => {
      return stateValue(value, state) ?? sessionValue(value, limits, session, variables);
    });
  };
  // Errors and types are the same in every session.
  const sample = rowOf(undefined, undefined);
  return new ValuesPlan(statement.items.map(({ name }, i) => columnOf(name, sample[i])), rowOf);
}

/** What the executor's session has of its own; undefined for anything else. */
function stateValue(value: SessionValue, state: SessionState | undefined): ColumnValue | undefined {
  if (value.kind === "constant") return undefined;
  if (value.kind === "variable") {
    return value.name === "last_insert_id" || value.name === "identity" ? (state?.lastInsertId ?? 0n) : undefined;
  }
  return value.name === "last_insert_id" ? (state?.lastInsertId ?? 0n) : undefined;
}

function columnOf(name: string, value: ColumnValue): ResultColumn {
  const nullable = value === null;
  if (typeof value === "bigint") {
    return { name, type: "bigint", lengthMax: undefined, nullable, tableName: "" };
  }
  if (typeof value === "number") {
    const type = Number.isSafeInteger(value) ? "bigint" : "double";
    return { name, type, lengthMax: undefined, nullable, tableName: "" };
  }
  const type = value instanceof Uint8Array ? "varbinary" : "varchar";
  return { name, type, lengthMax: 1024, nullable, tableName: "" };
}

function sessionValue(
  value: SessionValue,
  limits: ExecutorLimits,
  session: SessionView | undefined,
  variables: ReadonlyMap<string, ColumnValue>,
): ColumnValue {
  if (value.kind === "constant") {
    return typeof value.value === "number" && Number.isSafeInteger(value.value) ? BigInt(value.value) : value.value;
  }
  if (value.kind === "variable") {
    const found = variables.get(value.name);
    if (found === undefined) throw new SqlError("unknown_column", `Unknown system variable '${value.name}'`);
    return found;
  }
  switch (value.name) {
    case "database":
    case "schema":
      return session === undefined || session.database === "" ? limits.databaseName : session.database;
    case "version":
      return variables.get("version") ?? limits.serverVersion;
    case "user":
    case "current_user":
    case "session_user":
    case "system_user":
      return session?.user ?? "lathe@localhost";
    case "connection_id":
      return BigInt(session?.connectionId ?? 0);
    case "last_insert_id":
      return 0n;
    default:
      throw notSelected("parser/syntax/functions/string", `the function ${value.name}`);
  }
}

type SetStatement = Extract<SessionStatement, { kind: "set" }>;
type KillStatement = Extract<SessionStatement, { kind: "kill" }>;

/** Throws SqlError. */
export function planSet({ transactions }: RunDoors, { assignments }: SetStatement): SessionPlan | SettingsPlan {
  let autocommit: boolean | undefined;
  let serializable: SettingsPlan["serializable"];
  let timeLimitMs: number | undefined;
  for (const assignment of assignments) {
    const { name, value, scope } = assignment;
    if (name === "autocommit") autocommit = !["0", "off", "false"].includes(value.toLowerCase());
    if (name === "max_execution_time") timeLimitMs = timeLimit(assignment);
    const level = isolationLevel(assignment);
    if (level === undefined) continue;
    const on = level === serializableName;
    if (on && scope === "global" && transactions?.isolation === "snapshot") {
      throw notSelected("concurrency/isolation/serializable_conflict_sets", "SERIALIZABLE for all sessions");
    }
    if (scope !== "global") serializable = { on, scope: scope ?? "next" };
  }
  if (autocommit === undefined && serializable === undefined && timeLimitMs === undefined) return nothingToDo;
  return { kind: "settings", label: "session", shape: undefined, autocommit, serializable, timeLimitMs };
}

const timeLimitMsMax = 2 ** 32 - 1;

/** Milliseconds, of this session's SELECTs. Throws SqlError. */
function timeLimit({ value, scope }: SetAssignment): number {
  const limitMs = value.toUpperCase() === "DEFAULT" ? 0 : Number(value);
  if (!Number.isInteger(limitMs) || limitMs < 0 || limitMs > timeLimitMsMax) {
    const shown = value.slice(0, 32);
    throw new SqlError("syntax", `max_execution_time takes milliseconds up to ${timeLimitMsMax}, not '${shown}'`);
  }
  if (limitMs === 0 || scope !== "global") return limitMs;
  throw notSelected("architecture/resource_management/runaway_queries", "a time limit for all sessions");
}

const isolationLevels: ReadonlySet<string> = new Set([
  "READ-UNCOMMITTED", "READ-COMMITTED", "REPEATABLE-READ", serializableName, "DEFAULT",
]);

/** The level that an assignment asks for; undefined where it is of something else. Throws SqlError. */
function isolationLevel({ name, value }: SetAssignment): string | undefined {
  const phrase = name === "transaction" ? /^ISOLATION\s+LEVEL\s+(.*)$/is.exec(value)?.[1] : undefined;
  const variable = name === "transaction_isolation" || name === "tx_isolation";
  const written = phrase ?? (variable ? value.replace(/^(['"`])(.*)\1$/s, "$2") : undefined);
  if (written === undefined) return undefined;
  const level = written.trim().replace(/\s+/g, "-").toUpperCase();
  if (!isolationLevels.has(level)) throw new SqlError("syntax", `'${written.slice(0, 32)}' is no isolation level`);
  return level;
}

export function planUse(database: string): SessionPlan {
  return new DonePlan((session) => {
    if (session !== undefined) session.database = database;
  });
}

export function planKill({ connectionId, what }: KillStatement): SessionPlan {
  return new DonePlan((session) => {
    if (session?.kill(connectionId, what) === true) return;
    throw new SqlError("unknown_thread", `Unknown thread id: ${connectionId}`);
  });
}
