/**
 * OpenTransaction: one transaction between its begin and its end.
 *
 * Algorithm:
 *   1. The first statement takes a snapshot. Reads are of it, with the transaction's own writes over it; what they see
 *      of the snapshot is kept as marks (`read-set.ts`), gaps in ranges included.
 *   2. A statement that writes runs on that view by the state machine's own code; what it would write is kept
 *      (`write-set.ts`) once it has succeeded as a whole.
 *   3. The commit is one command: look at all that was read again, then write. Its place in the log is the
 *      transaction's place in the serial order. Without writes there is none: all reads were of one moment, which is
 *      its place.
 *      With snapshot isolation what is looked at again are the rows that it writes, as the snapshot has them, and what
 *      was read to lock; other reads are not kept. A row that a statement has matched counts as written even where the
 *      statement leaves it as it is. "The same" is by value: a row that was changed and changed back is the same.
 *   4. A savepoint is a place in the list of what writes replaced; going back to it puts that back. Reads are kept.
 * Invariants:
 *   1. The snapshot is released when the transaction ends, in whatever way.
 *   2. After it has ended nothing is read or written any more; `lost` says why it ended by itself.
 *   3. A definition that changed since the snapshot ends it: an index that came later is not in the snapshot.
 * Source: Kung and Robinson 1981, Silo; Berenson et al. 1995 for snapshot isolation; see the port.
 */
import { LatheError } from "../../../../../kit/errors.ts";
import type { Table } from "../../../../architecture/catalog/table.ts";
import type { Cursor, ScanRange, Snapshot } from "../../../../storage/engine.ts";
import type { Command, CommandResult, CommandStep, RowWrite, StepResult } from "../../command.ts";
import type { BeginOptions, InteractiveTransaction, LostTransaction } from "../../interactive-transactions.ts";
import type { StepReader, StepWrites } from "../../step-runner.ts";
import { MergedCursor } from "./merged-cursor.ts";
import type { ReservedNumbers } from "./reserved-numbers.ts";
import { ReadSet } from "./read-set.ts";
import type { TransactionDoors, TransactionLimits } from "./transactions.ts";
import { WriteSet } from "./write-set.ts";

const savepointsMax = 1024;
const changedDefinition = "the definition of a table has changed; try restarting transaction";

export class OpenTransaction implements InteractiveTransaction, StepReader {
  readonly readOnly: boolean;
  readonly capabilities: StepReader["capabilities"];
  lastUsedUs: number;
  readonly #doors: TransactionDoors;
  readonly #limits: TransactionLimits;
  readonly #numbers: ReservedNumbers;
  readonly #onEnd: (transaction: OpenTransaction) => void;
  readonly keepsUnchanged: boolean;
  readonly lockingView: Pick<StepReader, "getSync" | "scan">;
  /** What all reads see, and what those that lock see, as far as it is kept. */
  readonly #reads: ReadSet | undefined;
  readonly #lockingReads: ReadSet | undefined;
  readonly #writes = new WriteSet();
  /** In the order in which they were set. */
  readonly #savepoints: { readonly name: string; readonly place: number }[] = [];
  #snapshot: Snapshot | undefined;
  #catalogVersion = -1;
  #ended = false;
  #lost: LostTransaction | undefined;

  constructor(
    doors: TransactionDoors,
    limits: TransactionLimits,
    numbers: ReservedNumbers,
    { readOnly, now, serializable }: BeginOptions,
    onEnd: (transaction: OpenTransaction) => void,
  ) {
    this.#doors = doors;
    this.#limits = limits;
    this.#numbers = numbers;
    this.readOnly = readOnly === true;
    this.capabilities = doors.engine.capabilities;
    this.lastUsedUs = doors.env.clock.monotonicUs();
    this.#onEnd = onEnd;
    const snapshot = doors.isolation === "snapshot" && serializable !== true;
    this.keepsUnchanged = snapshot;
    this.#lockingReads = this.readOnly ? undefined : new ReadSet();
    this.#reads = snapshot ? undefined : this.#lockingReads;
    this.lockingView = {
      getSync: (key) => this.#get(key, this.#lockingReads),
      scan: (range) => this.#scan(range, this.#lockingReads),
    };
    if (now === true) this.#moment();
  }

  get view(): this {
    return this;
  }

  lost(): LostTransaction | undefined {
    this.lastUsedUs = this.#doors.env.clock.monotonicUs();
    if (this.#ended) return this.#lost;
    const { readRowsMax } = this.#limits;
    if (this.#snapshot !== undefined && this.#doors.catalog.version !== this.#catalogVersion) {
      this.lose("conflict", changedDefinition);
    } else if (this.#lockingReads !== undefined && this.#lockingReads.count > readRowsMax) {
      const way = "read less at once, or begin it with START TRANSACTION READ ONLY";
      this.lose("limit_exceeded", `the transaction has read more than ${readRowsMax} rows and was rolled back; ${way}`);
    }
    return this.#lost;
  }

  /** Ends it by itself. */
  lose(reason: LostTransaction["reason"], message: string): void {
    if (this.#ended) return;
    this.#lost = { reason, message };
    this.rollback();
  }

  getSync(key: Uint8Array): Uint8Array | undefined {
    return this.#get(key, this.#reads);
  }

  scan(range: ScanRange): Cursor {
    return this.#scan(range, this.#reads);
  }

  #get(key: Uint8Array, reads: ReadSet | undefined): Uint8Array | undefined {
    this.#refuseWhenEnded();
    const own = this.#writes.count === 0 ? undefined : this.#writes.find(key);
    if (own !== undefined) return own.value;
    const value = this.#doors.engine.getSync(key, this.#moment());
    reads?.addKey(key, value);
    return value;
  }

  #scan(range: ScanRange, reads: ReadSet | undefined): Cursor {
    const own = this.#writes.between(range.gte, range.lt);
    if (range.reverse === true) own.reverse();
    const base = this.#doors.engine.scan({ ...range, snapshot: this.#moment() });
    return new MergedCursor(base, own, range, reads);
  }

  unnumbered(steps: readonly CommandStep[]): CommandStep | undefined {
    for (const step of steps) {
      if (step.kind !== "insert") continue;
      const { tableId } = step;
      const table = this.#doors.catalog.byId(tableId);
      const wanted = table === undefined ? 0 : this.#unnumberedRows(table, step);
      if (wanted > 0 && this.#numbers.left(tableId) < wanted) {
        const count = Math.max(wanted, this.#limits.numbersReserved);
        return { kind: "reserve", tableId, count, above: this.#numbers.floor(tableId) };
      }
    }
    return undefined;
  }

  /** Rows that come without a number, where the table gives numbers; those that come with one are taken note of. */
  #unnumberedRows(table: Table, step: CommandStep & { kind: "insert" }): number {
    const { autoIncrement } = table;
    if (autoIncrement === undefined) return 0;
    let rows = 0;
    for (const row of step.rows) {
      const value = row[autoIncrement];
      if (value === null || value === 0 || value === 0n) rows++;
      else if (step.rows.length > 1) this.#numbers.came(table, BigInt(value as bigint | number));
    }
    return rows;
  }

  reserved(step: CommandStep, result: StepResult): void {
    if (step.kind !== "reserve" || result.kind !== "changed" || result.insertId === undefined) return;
    this.#numbers.add(step.tableId, result.insertId, result.changedRows);
  }

  run(steps: readonly CommandStep[]): CommandResult {
    this.#moment();
    const { tableId } = targetOf(steps[0]);
    const pending: Parameters<WriteSet["put"]>[] = [];
    const writes: StepWrites = {
      row: (key, value) => pending.push([key.slice(), value?.slice(), tableId]),
      entry: (key, value) => pending.push([key.slice(), value?.slice(), -1]),
    };
    const result = this.#doors.steps.run(steps, this, this.#numbers, writes);
    if (!result.ok) return result;
    for (const write of pending) this.#writes.put(...write);
    const { writeBytesMax } = this.#limits;
    if (this.#writes.bytes > writeBytesMax) {
      throw new LatheError("LIMIT_EXCEEDED", `a transaction writes more than ${writeBytesMax} bytes; commit earlier`);
    }
    return result;
  }

  commit(): Command | undefined {
    const tables = this.#writes.byTable();
    const validation = tables.size === 0 ? undefined : this.#validation(tables);
    this.#end();
    if (tables.size === 0) return undefined;
    const steps: CommandStep[] = validation === undefined ? [] : [validation];
    for (const [tableId, rows] of tables) steps.push({ kind: "write", tableId, rows });
    return { steps };
  }

  /** What must be the same when the writes take place. */
  #validation(tables: ReadonlyMap<number, readonly RowWrite[]>): CommandStep | undefined {
    const reads = this.#lockingReads;
    if (this.keepsUnchanged && reads !== undefined) {
      const snapshot = this.#moment();
      for (const rows of tables.values()) {
        for (const { key } of rows) reads.addKey(key, this.#doors.engine.getSync(key, snapshot));
      }
    }
    return reads?.step();
  }

  savepoint(name: string): void {
    this.release(name, true);
    if (this.#savepoints.length >= savepointsMax) {
      throw new LatheError("LIMIT_EXCEEDED", `a transaction has ${savepointsMax} savepoints already; release some`);
    }
    this.#savepoints.push({ name: name.toLowerCase(), place: this.#writes.mark() });
  }

  rollbackTo(name: string): boolean {
    const at = this.#findSavepoint(name);
    if (at < 0) return false;
    this.#savepoints.length = at + 1;
    this.#writes.undoTo(this.#savepoints[at].place);
    return true;
  }

  release(name: string, alone = false): boolean {
    const at = this.#findSavepoint(name);
    if (at < 0) return false;
    this.#savepoints.splice(at, alone ? 1 : this.#savepoints.length);
    if (this.#savepoints.length === 0) this.#writes.forgetMarks();
    return true;
  }

  #findSavepoint(name: string): number {
    return this.#savepoints.findIndex((one) => one.name === name.toLowerCase());
  }

  rollback(): void {
    this.#end();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#snapshot?.release();
    this.#snapshot = undefined;
    this.#onEnd(this);
  }

  #refuseWhenEnded(): void {
    if (this.#ended) throw new LatheError("CLOSED", "this transaction has ended");
  }

  /** The moment that reads are of: that of the first one. */
  #moment(): Snapshot {
    this.#refuseWhenEnded();
    if (this.#snapshot === undefined) {
      this.#snapshot = this.#doors.engine.snapshot();
      this.#catalogVersion = this.#doors.catalog.version;
    }
    return this.#snapshot;
  }
}

function targetOf(step: CommandStep): { tableId: number } {
  if (step.kind === "insert") return step;
  if (step.kind === "update" || step.kind === "delete") return step.target;
  throw new LatheError("INVALID_ARGUMENT", `a step ${step.kind} does not belong into an open transaction`);
}
