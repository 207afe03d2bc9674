/**
 * Random statements against a model of a table: text and prepared, alone and in transactions, with and without caches.
 * `LATHE_TEST_RUNS` sets the number of histories.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { createLruCache } from "../../../../storage/page_io/replacement/lru/lru-cache.ts";
import type { ColumnValue } from "../../../../architecture/catalog/table.ts";
import type { Comparison } from "../../../../concurrency/transaction/command.ts";
import type { Executor, PreparedStatement } from "../../../executor.ts";
import { type InMemoryDoors, loggedErrors, openInMemory, type RecordedResult, run, runPrepared } from "./in-memory-doors.fixture.ts";
import { type Comparing, type Expected, literal, modelTable, type Operation, render, type Row, TableModel } from "./table-model.fixture.ts";

const runs = { numRuns: Number(process.env.LATHE_TEST_RUNS ?? 150) };

const valueOf: readonly fc.Arbitrary<ColumnValue>[] = [
  fc.constantFrom(-(2n ** 63n), -1n, 0n, 1n, 2n, 9007199254740993n),
  fc.constantFrom("", "a", "aa", "b", "a\0b", "it's", "é", "\\", "\u{1f600}"),
  fc.constantFrom(null, -5, 0, 1, 2147483647),
  fc.constantFrom(null, 0, -1.5, 2.25, 1e300),
  fc.constantFrom(null, "", "x", "yy", "it's", "ü"),
];
const rowArbitrary: fc.Arbitrary<Row> = fc.tuple(...valueOf);
const comparison = fc.constantFrom<Comparison>("=", "<", "<=", ">", ">=", "<>");
const comparing = (column: number): fc.Arbitrary<Comparing> =>
  fc.record({ column: fc.constant(column), comparison, value: valueOf[column] });
const equal = (column: number): fc.Arbitrary<Comparing> =>
  valueOf[column].map((value) => ({ column, comparison: "=" as const, value }));
/** `a = …`, perhaps `b = …`, perhaps more: what has a key prefix. */
const keyed: fc.Arbitrary<Comparing[]> = fc
  .tuple(equal(0), fc.option(equal(1)), fc.option(fc.nat(3).chain((column) => comparing(column + 1))), fc.boolean())
  .map(([a, b, more, last]) => {
    const conditions = [a, b, more].filter((each) => each !== null);
    return last ? conditions.reverse() : conditions;
  });
const key = fc.tuple(valueOf[0], valueOf[1]);

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: fc.array(rowArbitrary, { minLength: 1, maxLength: 3 }).map((rows): Operation => ({ kind: "insert", rows, unless: [] })) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(rowArbitrary, fc.array(keyed, { minLength: 1, maxLength: 3 }))
      .map(([row, unless]): Operation => ({ kind: "insert", rows: [row], unless })),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(keyed, fc.uniqueArray(fc.constantFrom(2, 3, 4), { minLength: 1 }), rowArbitrary)
      .map(([where, columns, row]): Operation => ({ kind: "update", where, set: columns.map((column) => ({ column, value: row[column] })) })),
  },
  { weight: 1, arbitrary: keyed.map((where): Operation => ({ kind: "delete", where })) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.option(keyed, { nil: [] }), fc.option(fc.nat(3), { nil: undefined }), fc.boolean())
      .map(([where, limit, count]): Operation => ({ kind: "select", where, limit, count })),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("range" as const), above: key, inclusive: fc.boolean(), below: key, limit: fc.nat(4) }),
  },
  { weight: 2, arbitrary: fc.array(key, { minLength: 1, maxLength: 4 }).map((keys): Operation => ({ kind: "in", keys })) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("upsert" as const),
      rows: fc.array(rowArbitrary, { minLength: 1, maxLength: 3 }),
      mode: fc.constantFrom("ignore" as const, "replace" as const, "add" as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("shift" as const), low: valueOf[0], high: valueOf[0], factor: fc.integer({ min: -2, max: 3 }), by: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("drop" as const), low: valueOf[0], high: valueOf[0] }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("sorted" as const),
      low: valueOf[0],
      column: fc.nat(4),
      descending: fc.boolean(),
      limit: fc.nat(4),
      offset: fc.nat(2),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("distinct" as const), low: valueOf[0], column: fc.nat(4), descending: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("aggregate" as const), low: valueOf[0], high: valueOf[0] }) },
);
/** A transaction that writes cannot sort with a LIMIT, nor have LIMIT beside IN. */
const history = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ mode: fc.constantFrom("text" as const, "prepared" as const), operations: fc.tuple(operation) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        mode: fc.constant("transaction" as const),
        operations: fc.array(operation.filter(({ kind }) => kind !== "sorted"), { minLength: 1, maxLength: 5 }),
      }),
    },
  ),
  { maxLength: 30 },
);

const asExpected = (result: RecordedResult): Expected => {
  if ("error" in result) return { error: result.error.reason };
  return "rows" in result ? { rows: result.rows } : { affected: result.affected, matched: result.matched };
};

class Subject {
  readonly doors: InMemoryDoors;
  readonly #prepared = new Map<string, PreparedStatement>();

  constructor(doors: InMemoryDoors) {
    this.doors = doors;
  }

  async run(mode: "text" | "prepared" | "transaction", operations: readonly Operation[]): Promise<Expected[]> {
    const { executor } = this.doors;
    if (mode === "prepared") return [asExpected(await this.#runPrepared(executor, operations[0]))];
    const texts = operations.map((each) => render(each, literal));
    if (mode === "text") return (await run(executor, texts[0])).map(asExpected);
    const results = (await run(executor, `START TRANSACTION; ${texts.join(";\n")}; COMMIT;`)).map(asExpected);
    return "error" in results[0] ? results : results.slice(1, -1);
  }

  #runPrepared(executor: Executor, each: Operation): Promise<RecordedResult> {
    const parameters: ColumnValue[] = [];
    const sql = render(each, (value) => {
      parameters.push(typeof value === "string" && parameters.length % 2 === 1 ? new Uint8Array(Buffer.from(value)) : value);
      return "?";
    });
    let statement = this.#prepared.get(sql);
    if (statement === undefined) this.#prepared.set(sql, (statement = executor.prepare(sql)));
    return runPrepared(executor, statement, parameters);
  }
}

const variants: readonly [string, () => InMemoryDoors][] = [
  ["no caches", () => openInMemory({ limits: { planCacheEntries: 0 } })],
  ["a row cache and a plan cache", () => openInMemory({ cache: createLruCache({ capacityBytes: 1 << 18 }) })],
  ["tiny caches", () => openInMemory({ cache: createLruCache({ capacityBytes: 8192 }), limits: { planCacheEntries: 2 } })],
];

async function agree(variant: () => InMemoryDoors, steps: readonly { mode: "text" | "prepared" | "transaction"; operations: readonly Operation[] }[], model: TableModel) {
  const subject = new Subject(variant());
  await run(subject.doors.executor, modelTable);
  for (const { mode, operations } of steps) {
    const expected = model.transaction(operations);
    assert.deepEqual(await subject.run(mode, operations), expected, operations.map((each) => render(each, literal)).join("; "));
  }
  const all: Operation = { kind: "select", where: [], limit: undefined, count: false };
  assert.deepEqual(await subject.run("text", [all]), model.transaction([all]));
  assert.equal(subject.doors.engine.openCursors, 0);
  assert.deepEqual(loggedErrors, [], "nothing internal went wrong");
}

describe("the executor and a model of the table agree", () => {
  for (const [name, open] of variants) {
    test(name, async () => {
      await fc.assert(fc.asyncProperty(history, (steps) => agree(open, steps, new TableModel())), runs);
    });
  }

  test("and a model with a planted defect is found out", async () => {
    class Defective extends TableModel {
      override transaction(operations: readonly Operation[]): Expected[] {
        // `<=` for `<` in one place: the kind of slip that the comparison is for.
        const slipped = operations.map((each): Operation => {
          if (each.kind !== "update") return each;
          return { ...each, where: each.where.map((w) => (w.comparison === "<" ? { ...w, comparison: "<=" as const } : w)) };
        });
        return super.transaction(slipped);
      }
    }
    await assert.rejects(fc.assert(fc.asyncProperty(history, (steps) => agree(variants[0][1], steps, new Defective())), { numRuns: 3000 }));
  });
});
