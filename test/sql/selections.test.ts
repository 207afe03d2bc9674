/**
 * Random conditions (OR, AND, IN, ranges, NULLs, with and without an index, in an order, up to a limit) beside a list of
 * rows that is filtered, sorted and cut one row at a time.
 *
 * Each drawn SELECT, COUNT, UPDATE and DELETE runs in three ways that must agree: by itself, in a text that is one
 * command with a write before it, and in a transaction that stays open. `LATHE_TEST_RUNS` sets the programs; a failure
 * prints its seed.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Table } from "../../src/parts/architecture/catalog/table.ts";
import {
  affectedOf,
  type InMemoryDoors,
  type RecordedResult,
  rowsOf,
  run,
  runOne,
} from "../../src/parts/query_processing/execution/model/point_api/in-memory-doors.fixture.ts";
import { assertEntries } from "../../src/parts/indexing/equality/kv_secondary/entries-judge.fixture.ts";
import { drawing } from "./drawing.fixture.ts";
import { openWithTransactions } from "./open-transactions.fixture.ts";

const programs = Number(process.env.LATHE_TEST_RUNS ?? 40);
const definition =
  "CREATE TABLE t (a INT, b INT, k INT, c VARCHAR(4), v INT, PRIMARY KEY (a, b), KEY by_k (k), KEY by_ck (c, k))";

interface Row {
  a: number;
  b: number;
  k: number | null;
  c: string | null;
  v: number | null;
}

type Draw = (below: number) => number;
type Meets = (row: Row) => boolean;

const shown = (value: number | string | null) => (typeof value === "string" ? `'${value}'` : `${value}`);

/** Comparisons of columns, where NULL is never true. */
const operators: Record<string, (order: number) => boolean> = {
  "=": (order) => order === 0,
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
  "<>": (order) => order !== 0,
};

function order(left: number | string, right: number | string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

class Conditions {
  readonly #draw: Draw;

  constructor(draw: Draw) {
    this.#draw = draw;
  }

  value(column: keyof Row): number | string | null {
    if (this.#draw(14) === 0) return null;
    return column === "c" ? ["", "a", "b", "bb"][this.#draw(4)] : this.#draw(6) - 1;
  }

  leaf(column: keyof Row): [string, Meets] {
    const draw = this.#draw;
    const compare = (operator: string, value: number | string | null): Meets => (row) => {
      const stored = row[column];
      return stored !== null && value !== null && operators[operator](order(stored, value));
    };
    const kind = draw(5);
    if (kind === 0) {
      const [low, high] = [this.value(column), this.value(column)];
      const meets = (row: Row) => compare(">=", low)(row) && compare("<=", high)(row);
      return [`${column} BETWEEN ${shown(low)} AND ${shown(high)}`, meets];
    }
    if (kind === 1) {
      const values = Array.from({ length: 1 + draw(3) }, () => this.value(column));
      const meets = (row: Row) => values.some((value) => compare("=", value)(row));
      return [`${column} IN (${values.map(shown).join(", ")})`, meets];
    }
    const operator = kind === 2 ? "=" : Object.keys(operators)[draw(6)];
    const value = this.value(column);
    return [`${column} ${operator} ${shown(value)}`, compare(operator, value)];
  }

  /** A condition over the columns of one key, now and then with others beside it. */
  tree(columns: readonly (keyof Row)[], depth: number): [string, Meets] {
    const draw = this.#draw;
    if (depth === 0 || draw(3) === 0) return this.leaf(columns[draw(columns.length)]);
    const parts = Array.from({ length: 2 + draw(2) }, () => this.tree(columns, depth - 1));
    const or = draw(2) === 0;
    const text = parts.map(([sql]) => `(${sql})`).join(or ? " OR " : " AND ");
    return [text, (row) => (or ? parts.some(([, meets]) => meets(row)) : parts.every(([, meets]) => meets(row)))];
  }

  whole(): [string, Meets] {
    const sets: (keyof Row)[][] = [["a"], ["a", "b"], ["k"], ["c", "k"], ["a", "v"], ["k", "v", "b"]];
    return this.tree(sets[this.#draw(sets.length)], 2);
  }
}

const columns: readonly (keyof Row)[] = ["a", "b", "k", "c", "v"];

interface Ordered {
  readonly sql: string;
  cut(rows: readonly Row[]): Row[];
}

/** A total order, so that a limit means one thing; or none and no limit. */
function ordering(draw: Draw, offsets: boolean): Ordered {
  const kind = draw(4);
  if (kind === 0) return { sql: "", cut: (rows) => [...rows] };
  const way = draw(2) === 0 ? 1 : -1;
  const lead = kind === 1 ? [] : [columns[draw(5)]];
  const by = [...lead.map((column) => [column, draw(2) === 0 ? 1 : -1] as const), ["a", way] as const, ["b", way] as const];
  const limit = draw(4);
  const offset = offsets ? draw(3) : 0;
  const sql = ` ORDER BY ${by.map(([column, sign]) => `${column}${sign < 0 ? " DESC" : ""}`).join(", ")} LIMIT ${limit}${offset > 0 ? ` OFFSET ${offset}` : ""}`;
  const compare = (one: Row, other: Row): number => {
    for (const [column, sign] of by) {
      const [left, right] = [one[column], other[column]];
      const found = left === right ? 0 : left === null ? -1 : right === null ? 1 : order(left, right);
      if (found !== 0) return sign * found;
    }
    return 0;
  };
  return { sql, cut: (rows) => [...rows].sort(compare).slice(offset, offset + limit) };
}

const keyOf = ({ a, b }: Row) => `${a}/${b}`;
const listed = (rows: readonly Row[]) => rows.map((row) => columns.map((column) => row[column]));

class Program {
  readonly #draw: Draw;
  readonly #conditions: Conditions;
  readonly #doors: InMemoryDoors;
  #rows = new Map<string, Row>();
  served = 0;
  refused = 0;

  constructor(seed: number, doors: InMemoryDoors) {
    this.#draw = drawing(seed);
    this.#conditions = new Conditions(this.#draw);
    this.#doors = doors;
  }

  async play(): Promise<void> {
    await run(this.#doors.executor, definition);
    for (let step = 0; step < 30; step++) {
      await this.#insert();
      const kind = this.#draw(5);
      if (kind < 2) await this.#select();
      else if (kind === 2) await this.#count();
      else await this.#write(kind === 3);
    }
    assertEntries(this.#doors.engine, this.#doors.catalog.find("t") as Table);
    assert.deepEqual([this.#doors.engine.openCursors, this.#doors.engine.openSnapshots], [0, 0]);
  }

  async #insert(): Promise<void> {
    const row: Row = {
      a: this.#draw(5), b: this.#draw(5),
      k: this.#conditions.value("k") as number, c: this.#conditions.value("c") as string, v: this.#draw(5),
    };
    this.#rows.set(keyOf(row), row);
    affectedOf(await runOne(this.#doors.executor, `REPLACE INTO t VALUES (${listed([row])[0].map(shown).join(", ")})`));
  }

  /** Changes of drawn rows, which the statement behind them must see; they stay where it does not fail. */
  #before(): { sql: string; rows: Map<string, Row> } {
    const rows = new Map(this.#rows);
    const keys = [...rows.keys()];
    const moved = rows.get(keys[this.#draw(keys.length)]) as Row;
    const k = this.#conditions.value("k") as number | null;
    rows.set(keyOf(moved), { ...moved, k });
    const gone = rows.get(keys[this.#draw(keys.length)]) as Row;
    rows.delete(keyOf(gone));
    const at = ({ a, b }: Row) => `WHERE a = ${a} AND b = ${b}`;
    return { sql: `UPDATE t SET k = ${shown(k)} ${at(moved)}; DELETE FROM t ${at(gone)}`, rows };
  }

  /**
   * The statement by itself if it reads, in an open transaction behind other changes, and within a command behind them,
   * which stays.
   */
  async #inAllWays(
    sql: string,
    expected: (rows: readonly Row[]) => unknown,
    shape: (result: RecordedResult) => unknown,
  ): Promise<boolean> {
    const { executor } = this.#doors;
    const reads = sql.startsWith("SELECT");
    const session = executor.openSession();
    const before = this.#before();
    const results: RecordedResult[] = reads ? [await runOne(executor, sql)] : [];
    await run(session, "BEGIN");
    await run(session, before.sql);
    results.push(await runOne(session, sql));
    await run(session, "ROLLBACK");
    const whole = await run(executor, `BEGIN; ${before.sql}; ${sql}; COMMIT`);
    results.push(whole.length === 5 ? whole[3] : whole[whole.length - 1]);
    if (results.some((result) => "error" in result)) {
      const leaves = results.map((result) => ("error" in result ? result.error.leaf : "served"));
      assert.deepEqual(leaves, results.map(() => "query_processing/scans/sequential"));
      this.refused++;
      return false;
    }
    const [plain, changed] = [this.#rows, before.rows].map((rows) => expected([...rows.values()]));
    results.forEach((result, i) => assert.deepEqual(shape(result), reads && i === 0 ? plain : changed, sql));
    this.#rows = before.rows;
    this.served++;
    return true;
  }

  async #select(): Promise<void> {
    const [where, meets] = this.#conditions.whole();
    const { sql, cut } = ordering(this.#draw, true);
    // Without an order any will do.
    const sorted = (rows: unknown[][]) => (sql === "" ? rows.map((row) => JSON.stringify(row)).sort() : rows);
    const expected = (rows: readonly Row[]) => sorted(listed(cut(rows.filter(meets))));
    await this.#inAllWays(`SELECT * FROM t WHERE ${where}${sql}`, expected, (result) => sorted(rowsOf(result)));
  }

  async #count(): Promise<void> {
    const [where, meets] = this.#conditions.whole();
    const expected = (rows: readonly Row[]) => [[BigInt(rows.filter(meets).length)]];
    await this.#inAllWays(`SELECT COUNT(*) FROM t WHERE ${where}`, expected, rowsOf);
  }

  async #write(deletes: boolean): Promise<void> {
    const [where, meets] = this.#conditions.whole();
    const { sql, cut } = ordering(this.#draw, false);
    const statement = deletes ? "DELETE FROM t" : "UPDATE t SET k = k + 1, v = 7";
    const chosen = (rows: readonly Row[]) => cut(rows.filter(meets));
    const changes = (rows: readonly Row[]) => chosen(rows).filter(({ k, v }) => deletes || k !== null || v !== 7).length;
    if (await this.#inAllWays(`${statement} WHERE ${where}${sql}`, changes, affectedOf)) {
      for (const row of chosen([...this.#rows.values()])) {
        if (deletes) this.#rows.delete(keyOf(row));
        else this.#rows.set(keyOf(row), { ...row, k: row.k === null ? null : row.k + 1, v: 7 });
      }
    }
    const all = rowsOf(await runOne(this.#doors.executor, "SELECT * FROM t"));
    const model = [...this.#rows.values()].sort((one, other) => order(one.a, other.a) || order(one.b, other.b));
    assert.deepEqual(all, listed(model));
  }
}

describe("what a condition selects", () => {
  test("is the same by itself, in a command and in an open transaction, and equals a filter of all rows", async () => {
    const first = Number(process.env.LATHE_TEST_SEED ?? 1);
    const sum = { served: 0, refused: 0 };
    for (let seed = first; seed < first + programs; seed++) {
      const program = new Program(seed, openWithTransactions());
      await program.play().catch((error: unknown) => {
        throw new Error(`program of seed ${seed}: ${(error as Error).message}`, { cause: error });
      });
      sum.served += program.served;
      sum.refused += program.refused;
    }
    assert.ok(sum.served > programs * 12 && sum.refused > 0, JSON.stringify(sum));
  });
});
