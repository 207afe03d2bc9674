/**
 * Sessions whose transactions stay open, and what must be there of them after a crash: each whole or absent, those that
 * were acknowledged there, all in one serial order.
 *
 *   cells   each holds the number of the transaction that wrote it last
 *   marks   one row per cell that a transaction looked at: what it saw there, and whether it wrote it
 *
 * Each transaction looks at a few cells, writes some of them and leaves its marks; then it commits, or rolls back. So
 * what is there tells the history itself, and nobody has to foresee it:
 *   1. The marks of a transaction are all there or none; none of one that was rolled back, refused, or never ended.
 *   2. What was acknowledged is there.
 *   3. The writers of a cell are a chain from 0 to what the cell holds: who saw what. Two that saw the same is a lost
 *   update, an end elsewhere is a lost or half write.
 *   4. The order is a serial one: chains, reads (after what they saw, before who wrote over it) and time (what was
 *   acknowledged before another began comes before it) have no cycle.
 * Source: Adya's serialization graph, Elle's list-append (Kingsbury and Alvaro 2020), with the chain in place of lists.
 */
export const createTables: readonly string[] = [
  "CREATE TABLE cells (id BIGINT PRIMARY KEY, version BIGINT, filler VARCHAR(200))",
  "CREATE TABLE marks (id BIGINT PRIMARY KEY, cell BIGINT, saw BIGINT, wrote BIGINT, parts BIGINT)",
];

/** A statement's rows, or "conflict" where the transaction was refused for another one. */
export type Ask = (sql: string) => Promise<readonly (readonly (string | number | null)[])[] | "conflict">;

const partsMax = 8;
const markStride = 16;

type Fate = "open" | "sent" | "acknowledged" | "gone";

interface Transaction {
  fate: Fate;
  /** Places in the order of all begins and answers. */
  readonly beganAt: number;
  answeredAt: number;
}

export class SessionHistory {
  readonly cells: number;
  readonly #transactions = new Map<number, Transaction>();
  #events = 0;
  /** Whether the tables and cells were acknowledged. */
  prepared = false;
  acknowledged = 0;
  conflicts = 0;

  constructor(cells: number) {
    this.cells = cells;
  }

  /** For judging what several ends leave of one run. */
  copy(): SessionHistory {
    const copy = new SessionHistory(this.cells);
    for (const [number, transaction] of this.#transactions) copy.#transactions.set(number, { ...transaction });
    copy.#events = this.#events;
    copy.prepared = this.prepared;
    copy.acknowledged = this.acknowledged;
    copy.conflicts = this.conflicts;
    return copy;
  }

  /** Transactions whose COMMIT was sent and not answered. */
  get unclear(): number {
    return [...this.#transactions.values()].filter(({ fate }) => fate === "sent").length;
  }

  async prepare(ask: Ask): Promise<void> {
    for (const sql of createTables) await ask(sql);
    const rows = Array.from({ length: this.cells }, (_, cell) => `(${cell}, 0, '')`);
    await ask(`INSERT INTO cells (id, version, filler) VALUES ${rows.join(", ")}`);
    this.prepared = true;
  }

  /** Runs one transaction in a session of its own; `next` draws from [0, 1). Rejects where the connection breaks. */
  async transact(ask: Ask, next: () => number): Promise<void> {
    const number = this.#transactions.size + 1;
    const transaction: Transaction = { fate: "open", beganAt: this.#events++, answeredAt: Infinity };
    this.#transactions.set(number, transaction);
    await ask("BEGIN");
    const parts = 1 + Math.floor(next() * Math.min(partsMax, this.cells));
    const looked = new Set<number>();
    for (let part = 0; part < parts; ) {
      const cell = Math.floor(next() * this.cells);
      if (looked.has(cell)) continue;
      looked.add(cell);
      const writes = part === 0 || next() < 0.6;
      const found = await ask(`SELECT version FROM cells WHERE id = ${cell}`);
      if (found === "conflict") return this.#refused(transaction);
      const mark = [number * markStride + part, cell, Number(found[0]?.[0]), writes ? 1 : 0, parts];
      const filler = "f".repeat(Math.floor(next() * 200));
      const texts = [
        ...(writes ? [`UPDATE cells SET version = ${number}, filler = '${filler}' WHERE id = ${cell}`] : []),
        `INSERT INTO marks (id, cell, saw, wrote, parts) VALUES (${mark.join(", ")})`,
      ];
      for (const text of texts) if ((await ask(text)) === "conflict") return this.#refused(transaction);
      part++;
    }
    if (next() < 0.12) {
      await ask("ROLLBACK");
      transaction.fate = "gone";
      return;
    }
    transaction.fate = "sent";
    if ((await ask("COMMIT")) === "conflict") return this.#refused(transaction);
    transaction.fate = "acknowledged";
    transaction.answeredAt = this.#events++;
    this.acknowledged++;
  }

  /** Reads what is there after a crash and judges it; what was unclear is settled by it. */
  async judge(ask: Ask): Promise<string | undefined> {
    const marks = await ask("SELECT id, cell, saw, wrote, parts FROM marks WHERE id >= 0 ORDER BY id LIMIT 10000000");
    const cells = await ask("SELECT id, version FROM cells WHERE id >= 0 ORDER BY id LIMIT 10000000");
    if (marks === "conflict" || cells === "conflict") return "a read outside of transactions was refused as a conflict";
    const found = marks.map((row): Mark => {
      const [id, cell, saw, wrote, parts] = row.map(Number);
      return { transaction: Math.floor(id / markStride), cell, saw, wrote: wrote === 1, parts };
    });
    const versions = new Map(cells.map((row) => [Number(row[0]), Number(row[1])]));
    if (!this.prepared && versions.size === 0 && found.length === 0) return undefined;
    return this.#wholeness(found) ?? this.#chains(found, versions);
  }

  #refused(transaction: Transaction): void {
    transaction.fate = "gone";
    this.conflicts++;
  }

  #wholeness(marks: readonly Mark[]): string | undefined {
    const there = new Map<number, { count: number; parts: number }>();
    for (const { transaction, parts } of marks) {
      const seen = there.get(transaction);
      if (seen === undefined) there.set(transaction, { count: 1, parts });
      else seen.count++;
    }
    for (const [number, { count, parts }] of there) {
      const fate = this.#transactions.get(number)?.fate;
      if (fate !== "sent" && fate !== "acknowledged") return `transaction ${number} is there, but it was not committed`;
      if (count !== parts) return `transaction ${number} is half there: ${count} of its ${parts} marks`;
    }
    for (const [number, transaction] of this.#transactions) {
      const isThere = there.has(number);
      if (transaction.fate === "acknowledged" && !isThere) return `acknowledged transaction ${number} is lost`;
      if (transaction.fate === "sent") transaction.fate = isThere ? "acknowledged" : "gone";
      if (transaction.fate === "open") transaction.fate = "gone";
    }
    return undefined;
  }

  #chains(marks: readonly Mark[], versions: ReadonlyMap<number, number>): string | undefined {
    const after = new Order();
    for (let cell = 0; cell < this.cells; cell++) {
      const own = marks.filter((mark) => mark.cell === cell);
      const writers = own.filter(({ wrote }) => wrote);
      const next = new Map<number, number>();
      for (const { saw, transaction } of writers) {
        const other = next.get(saw);
        if (other !== undefined) {
          return `cell ${cell}: ${other} and ${transaction} both wrote over what transaction ${saw} had written`;
        }
        next.set(saw, transaction);
      }
      let last = 0;
      let length = 0;
      for (let one = next.get(0); one !== undefined && length <= writers.length; one = next.get(one)) {
        last = one;
        length++;
      }
      if (length !== writers.length || last !== versions.get(cell)) {
        const led = `its writers lead to ${last}, by ${length} of ${writers.length}`;
        return `cell ${cell} holds ${versions.get(cell)}; ${led}`;
      }
      for (const { saw, transaction } of own) {
        if (saw !== 0) after.add(saw, transaction);
        const writer = next.get(saw);
        if (writer !== undefined && writer !== transaction) after.add(transaction, writer);
      }
    }
    this.#addTime(after, marks);
    const cycle = after.cycle();
    return cycle === undefined ? undefined : `no serial order: ${cycle.join(", ")} come before one another`;
  }

  /** Moments are nodes of their own (negative), in a row: each answer before its moment, each begin behind it. */
  #addTime(after: Order, marks: readonly Mark[]): void {
    for (const number of new Set(marks.map(({ transaction }) => transaction))) {
      const transaction = this.#transactions.get(number);
      if (transaction === undefined) continue;
      after.add(-1 - transaction.beganAt, number);
      if (transaction.answeredAt !== Infinity) after.add(number, -1 - transaction.answeredAt);
    }
    for (let moment = 1; moment < this.#events; moment++) after.add(-moment, -1 - moment);
  }
}

interface Mark {
  readonly transaction: number;
  readonly cell: number;
  readonly saw: number;
  readonly wrote: boolean;
  readonly parts: number;
}

/** What comes before what. */
class Order {
  readonly #later = new Map<number, Set<number>>();

  add(before: number, later: number): void {
    const known = this.#later.get(before) ?? new Set();
    this.#later.set(before, known.add(later));
    if (!this.#later.has(later)) this.#later.set(later, new Set());
  }

  /** Transactions that come before one another: what is left when all that nothing comes before has gone. */
  cycle(): number[] | undefined {
    const before = new Map([...this.#later.keys()].map((node) => [node, 0]));
    for (const later of this.#later.values()) for (const one of later) before.set(one, (before.get(one) ?? 0) + 1);
    const free = [...before].filter(([, count]) => count === 0).map(([node]) => node);
    for (let node = free.pop(); node !== undefined; node = free.pop()) {
      before.delete(node);
      for (const one of this.#later.get(node) ?? []) {
        const left = (before.get(one) ?? 0) - 1;
        before.set(one, left);
        if (left === 0) free.push(one);
      }
    }
    return before.size === 0 ? undefined : [...before.keys()].filter((node) => node > 0).slice(0, 8);
  }
}
