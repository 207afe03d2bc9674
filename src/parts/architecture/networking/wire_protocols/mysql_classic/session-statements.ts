/**
 * The prepared statements of one session, by id, with what the protocol remembers between executions.
 *
 * Invariants: at most `statementsMax` per session and `statementsTotalMax` for all of them; long
 * data of a session is at most `longDataBytesMax` and counts against the surface's inbound budget;
 * `clear` gives everything back.
 */
import type { ColumnValue } from "../../../catalog/table.ts";
import type { PreparedStatement } from "../../../../query_processing/executor.ts";
import type { MysqlLimits } from "./limits.ts";
import type { SharedBudget } from "./shared-budget.ts";

export interface SessionStatement {
  readonly id: number;
  readonly prepared: PreparedStatement;
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

/** What a piece of long data costs beyond its bytes, so that empty pieces have a limit as well. */
const longDataPieceBytes = 64;

export class SessionStatements {
  readonly #limits: MysqlLimits;
  readonly #total: SharedBudget;
  readonly #inbound: SharedBudget;
  readonly #byId = new Map<number, SessionStatement>();
  #lastId = 0;
  #recent: SessionStatement | undefined;
  #longDataBytes = 0;

  constructor(limits: MysqlLimits, total: SharedBudget, inbound: SharedBudget) {
    this.#limits = limits;
    this.#total = total;
    this.#inbound = inbound;
  }

  /** Whether one more may be prepared. */
  get full(): boolean {
    return this.#byId.size >= this.#limits.statementsMax || this.#total.left < 1;
  }

  add(prepared: PreparedStatement): SessionStatement {
    this.#total.take(1);
    const count = prepared.parameterCount;
    // Ids wrap at 32 bits; one that is still in use is stepped over.
    do this.#lastId = (this.#lastId % 0xffff_ffff) + 1;
    while (this.#byId.has(this.#lastId));
    const statement: SessionStatement = {
      id: this.#lastId,
      prepared,
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
