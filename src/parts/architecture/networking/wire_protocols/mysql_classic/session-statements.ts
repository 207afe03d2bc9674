/**
 * The prepared statements of one session, by id, with what the protocol remembers between executions.
 *
 * Invariants: at most `statementsMax` per session and `statementsTotalMax` for all of them, and so for the bytes that
 * they are taken to need (twice their text, for a plan is about as large, and something for each parameter); long data
 * of a session is at most `longDataBytesMax` and counts against the surface's inbound budget; `clear` gives everything
 * back.
 */
import type { ColumnValue } from "../../../catalog/table.ts";
import type { PreparedStatement } from "../../../../query_processing/executor.ts";
import type { MysqlLimits } from "./limits.ts";
import type { SharedBudget } from "../../shared-budget.ts";

export interface SessionStatement {
  readonly id: number;
  readonly prepared: PreparedStatement;
  /** What it is taken to need. */
  readonly bytes: number;
  /** Reused from execution to execution. */
  readonly values: ColumnValue[];
  /** Two bytes per parameter: type code and flags. */
  readonly types: Uint8Array;
  typesKnown: boolean;
  /** Pieces by parameter, from COM_STMT_SEND_LONG_DATA until the next execution or reset. */
  longData: Map<number, Buffer[]> | undefined;
  longDataBytes: number;
  /** Why the next execution must fail: the client gets no answer to long data. */
  longDataRefused: "packet_too_large" | "wrong_arguments" | undefined;
}

/** What a statement, and one of its parameters, are taken to need beyond the text. */
const statementBytes = 1024;
const parameterBytes = 48;

/** What a piece of long data costs beyond its bytes, so that empty pieces have a limit as well. */
const longDataPieceBytes = 64;

/** What the sessions of a surface share. */
export interface StatementBudgets {
  readonly statements: SharedBudget;
  readonly statementBytes: SharedBudget;
  readonly inbound: SharedBudget;
}

export class SessionStatements {
  readonly #limits: MysqlLimits;
  readonly #total: SharedBudget;
  readonly #inbound: SharedBudget;
  readonly #totalBytes: SharedBudget;
  readonly #byId = new Map<number, SessionStatement>();
  #lastId = 0;
  #recent: SessionStatement | undefined;
  #longDataBytes = 0;
  #bytes = 0;

  constructor(limits: MysqlLimits, budgets: StatementBudgets) {
    this.#limits = limits;
    this.#total = budgets.statements;
    this.#totalBytes = budgets.statementBytes;
    this.#inbound = budgets.inbound;
  }

  /** Whether one more may be prepared, whose text has so many characters. */
  hasRoom(textLength: number): boolean {
    if (this.#byId.size >= this.#limits.statementsMax || this.#total.left < 1) return false;
    const bytes = statementBytes + 2 * textLength;
    return this.#bytes + bytes <= this.#limits.statementBytesMax && bytes <= this.#totalBytes.left;
  }

  /** Undefined where its parameters are too many for the room that is left. */
  add(prepared: PreparedStatement, textLength: number): SessionStatement | undefined {
    const bytes = statementBytes + 2 * textLength + prepared.parameterCount * parameterBytes;
    if (this.#bytes + bytes > this.#limits.statementBytesMax || !this.#totalBytes.tryTake(bytes)) return undefined;
    this.#total.take(1);
    this.#bytes += bytes;
    const count = prepared.parameterCount;
    // Ids wrap at 32 bits; one that is still in use is stepped over.
    do this.#lastId = (this.#lastId % 0xffff_ffff) + 1;
    while (this.#byId.has(this.#lastId));
    const statement: SessionStatement = {
      id: this.#lastId,
      prepared,
      bytes,
      values: Array.from({ length: count }, () => null),
      types: new Uint8Array(2 * count),
      typesKnown: false,
      longData: undefined,
      longDataBytes: 0,
      longDataRefused: undefined,
    };
    this.#byId.set(statement.id, statement);
    return statement;
  }

  find(id: number): SessionStatement | undefined {
    const recent = this.#recent;
    if (recent !== undefined && recent.id === id) return recent;
    return (this.#recent = this.#byId.get(id));
  }

  remove(id: number): void {
    const statement = this.#byId.get(id);
    if (statement === undefined) return;
    this.forgetLongData(statement);
    this.#byId.delete(id);
    this.#total.give(1);
    this.#totalBytes.give(statement.bytes);
    this.#bytes -= statement.bytes;
    if (this.#recent === statement) this.#recent = undefined;
  }

  clear(): void {
    for (const id of this.#byId.keys()) this.remove(id);
  }

  /** Keeps a copy of a piece; beyond a limit it marks the statement, whose next execution then fails. */
  addLongData(statement: SessionStatement, parameter: number, bytes: Buffer): void {
    if (parameter >= statement.values.length) {
      statement.longDataRefused ??= "wrong_arguments";
      return;
    }
    const cost = bytes.length + longDataPieceBytes;
    if (this.#longDataBytes + cost > this.#limits.longDataBytesMax || !this.#inbound.tryTake(cost)) {
      statement.longDataRefused ??= "packet_too_large";
      return;
    }
    this.#longDataBytes += cost;
    statement.longDataBytes += cost;
    statement.longData ??= new Map();
    const pieces = statement.longData.get(parameter);
    if (pieces === undefined) statement.longData.set(parameter, [Buffer.from(bytes)]);
    else pieces.push(Buffer.from(bytes));
  }

  forgetLongData(statement: SessionStatement): void {
    this.#longDataBytes -= statement.longDataBytes;
    this.#inbound.give(statement.longDataBytes);
    statement.longDataBytes = 0;
    statement.longData = undefined;
    statement.longDataRefused = undefined;
  }
}
