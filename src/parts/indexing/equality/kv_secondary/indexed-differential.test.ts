/**
 * Random statements on a table with secondary indexes against a model of the table, and after every batch the judge of
 * entries. Planted bugs, each of a kind that was seen in the wild, must be found. `LATHE_TEST_RUNS` sets the histories.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { ColumnValue, Table } from "../../../architecture/catalog/table.ts";
import { kvSecondary } from "./kv-secondary.ts";
import type { SqlIndexes } from "../../sql-indexes.ts";
import type { IndexWrites } from "../../secondary-indexes.ts";
import { createLruCache } from "../../../storage/page_io/replacement/lru/lru-cache.ts";
import { rowToKv } from "../../../storage/layout/row_to_kv/row-to-kv.ts";
import { WriteBatch } from "../../../storage/write-batch.ts";
import { openInMemory, type RecordedResult, run } from "../../../query_processing/execution/model/point_api/in-memory-doors.fixture.ts";
import { MapEngine } from "../../../storage/map-engine.fixture.ts";
import { createIndexedPlans } from "../../../query_processing/execution/model/point_api/indexed-plans.ts";
import { assertEntries } from "./entries-judge.fixture.ts";
import { compareKeys, type Expected, literal, modelTable, type Operation, render, type Row, TableModel } from "../../../query_processing/execution/model/point_api/table-model.fixture.ts";

const withIndexes = { indexes: kvSecondary, indexedPlans: createIndexedPlans(kvSecondary) };
const runs = { numRuns: Number(process.env.LATHE_TEST_RUNS ?? 200) };
const indexedTable = `${modelTable.slice(0, -1)}, KEY by_n (n), KEY by_vn (v, n), KEY by_b (b, x))`;

const valueOf: readonly fc.Arbitrary<ColumnValue>[] = [
  fc.constantFrom(-(2n ** 63n), -1n, 0n, 1n),
  fc.constantFrom("", "a", "aa", "b", "a\0b", "é"),
  fc.constantFrom(null, -5, 0, 1, 2147483647),
  fc.constantFrom(null, 0, -1.5, 1e300),
  fc.constantFrom(null, "", "x", "yy", "it's", "ü"),
];
const rowArbitrary: fc.Arbitrary<Row> = fc.tuple(...valueOf);
const key = fc.tuple(valueOf[0], valueOf[1]);
const whole = key.map(([a, b]) => [
  { column: 0, comparison: "=" as const, value: a },
  { column: 1, comparison: "=" as const, value: b },
]);
const keyed = fc.oneof(whole, whole.map(([a]) => [a]));
const write: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: fc.array(rowArbitrary, { minLength: 1, maxLength: 4 }).map((rows): Operation => ({ kind: "insert", rows, unless: [] })) },
  { weight: 1, arbitrary: fc.tuple(rowArbitrary, keyed).map(([row, unless]): Operation => ({ kind: "insert", rows: [row], unless: [unless] })) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(keyed, fc.uniqueArray(fc.constantFrom(2, 3, 4), { minLength: 1 }), rowArbitrary)
      .map(([where, columns, row]): Operation => ({ kind: "update", where, set: columns.map((column) => ({ column, value: row[column] })) })),
  },
  { weight: 2, arbitrary: keyed.map((where): Operation => ({ kind: "delete", where })) },
);

/** A read by an index: `column = value`, rows after a key, in key order, up to a limit. */
interface Lookup {
  readonly kind: "lookup";
  readonly column: 1 | 2;
  readonly value: ColumnValue;
  readonly after: ColumnValue[] | null;
  readonly limit: number;
  readonly count: boolean;
}
const lookup: fc.Arbitrary<Lookup> = fc.constantFrom(2 as const).chain((column) =>
  fc.record({ kind: fc.constant("lookup" as const), column: fc.constant(column), value: valueOf[column], after: fc.option(key), limit: fc.nat(4), count: fc.boolean() }),
);
const step = fc.oneof(
  { weight: 3, arbitrary: fc.array(write, { minLength: 1, maxLength: 4 }) },
  { weight: 2, arbitrary: lookup },
);
const history = fc.array(step, { maxLength: 25 });

const columnNames = ["a", "b", "n", "x", "v"];

function lookupText({ column, value, after, limit, count }: Lookup): string {
  const where = `${columnNames[column]} = ${literal(value)}`;
  if (count) return `SELECT COUNT(*) FROM t WHERE ${where}`;
  const bound = after === null ? "" : ` AND (a, b) > (${after.map(literal).join(", ")})`;
  return `SELECT * FROM t WHERE ${where}${bound} ORDER BY a, b LIMIT ${limit}`;
}

function lookupExpected(model: TableModel, { column, value, after, limit, count }: Lookup): Row[] {
  const rows = model.rows.filter((row) => value !== null && row[column] === value).sort(compareKeys);
  if (count) return [[BigInt(rows.length)]];
  return rows.filter((row) => after === null || compareKeys(row.slice(0, 2), after) > 0).slice(0, limit);
}

function expectedOf(result: RecordedResult): Expected {
  if ("error" in result) return { error: result.error.reason };
  return "rows" in result ? { rows: result.rows } : { affected: result.affected, matched: result.matched };
}

/** Judges the entries after every batch: what a crash in that place would leave. */
class JudgedEngine extends MapEngine {
  table: (() => Table | undefined) | undefined;

  override applySync(batch: WriteBatch, index: number): void {
    super.applySync(batch, index);
    const table = this.table?.();
    if (table !== undefined) assertEntries(this, table);
  }
}

async function agree(
  steps: readonly (readonly Operation[] | Lookup)[],
  plant: (engine: MapEngine) => SqlIndexes = () => kvSecondary,
): Promise<void> {
  const engine = new JudgedEngine();
  const doors = openInMemory({ engine, ...withIndexes, indexes: plant(engine), cache: createLruCache({ capacityBytes: 8 << 10 }) });
  const model = new TableModel();
  await run(doors.executor, indexedTable);
  engine.table = () => doors.catalog.find("t");
  for (const each of steps) {
    if ("kind" in each) {
      const [result] = await run(doors.executor, lookupText(each));
      assert.deepEqual(expectedOf(result), { rows: lookupExpected(model, each) });
      continue;
    }
    const operations = each as readonly Operation[];
    const text = operations.map((one) => render(one, literal)).join("; ");
    const results = await run(doors.executor, operations.length === 1 ? text : `START TRANSACTION; ${text}; COMMIT`);
    const answers = operations.length === 1 || results.length === 1 ? results : results.slice(1, -1);
    assert.deepEqual(answers.map(expectedOf), model.transaction(operations));
  }
  assert.equal(engine.openCursors, 0);
}

/** kvSecondary with its writes replaced. */
function planted(change: (writes: IndexWrites) => Partial<IndexWrites>): SqlIndexes {
  return {
    ...kvSecondary,
    createWrites(layout) {
      const writes = kvSecondary.createWrites(layout);
      const kept: IndexWrites = {
        begin: () => writes.begin(),
        inserted: (table, rowKey, row) => writes.inserted(table, rowKey, row),
        updated: (table, rowKey, before, after) => writes.updated(table, rowKey, before, after),
        deleted: (table, rowKey, value) => writes.deleted(table, rowKey, value),
        filled: (table, index, rowKey, value) => writes.filled(table, index, rowKey, value),
        addTo: (batch) => writes.addTo(batch),
      };
      return { ...kept, ...change(writes) };
    },
  };
}

const findsPlanted = (plant: (engine: MapEngine) => SqlIndexes) =>
  assert.rejects(fc.assert(fc.asyncProperty(history, (steps) => agree(steps, plant)), { numRuns: 2000 }));

describe("a table with secondary indexes and a model of it agree", () => {
  test("over random histories, with exactly the right entries after every batch", async () => {
    await fc.assert(fc.asyncProperty(history, (steps) => agree(steps)), runs);
  });

  test("planted: entries in another batch than the row", async () => {
    await findsPlanted((engine) =>
      planted((writes) => ({
        addTo() {
          const apart = new WriteBatch();
          writes.addTo(apart);
          if (apart.count > 0) engine.applySync(apart, engine.appliedIndex + 0.5);
        },
      })),
    );
  });

  test("planted: the old entry stays after an update", async () => {
    await findsPlanted(() =>
      planted((writes) => ({ updated: (table, rowKey, _before, after) => writes.inserted(table, rowKey, after) })),
    );
  });

  test("planted: a deleted row's entries stay", async () => {
    await findsPlanted(() => planted(() => ({ deleted: () => undefined })));
  });

  test("planted: an entry for NULL", async () => {
    const zeroed = (row: readonly ColumnValue[]) => row.map((value, i) => (i === 2 && value === null ? 0 : value));
    await findsPlanted(() =>
      planted((writes) => ({ inserted: (table, rowKey, row) => writes.inserted(table, rowKey, zeroed(row)) })),
    );
  });
});

/** Whether duplicates are refused where a store may think that its table is empty. Throws where one was let in. */
async function checkDuplicates(engineOf: () => MapEngine): Promise<void> {
  const engine = engineOf();
  const insert = (...ids: number[]) => `INSERT INTO t (a, b, n) VALUES ${ids.map((id) => `(${id}, 'k', ${id})`).join(", ")}`;
  const open = () => openInMemory({ engine, ...withIndexes });
  const outcome = async (doors: ReturnType<typeof open>, sql: string) => {
    const result = (await run(doors.executor, sql)).at(-1) as RecordedResult;
    return "error" in result ? result.error.reason : "done";
  };
  let doors = open();
  await run(doors.executor, indexedTable);
  assert.equal(await outcome(doors, insert(1, 2, 1)), "duplicate_key", "within the first INSERT");
  assert.equal(rowsIn(engine, doors.catalog.find("t") as Table), 0, "a refused INSERT leaves nothing");
  assert.equal(await outcome(doors, insert(1, 2, 3)), "done");
  assert.equal(await outcome(doors, insert(3)), "duplicate_key", "against the first INSERT");
  doors = open();
  assert.equal(await outcome(doors, insert(4, 2)), "duplicate_key", "after a restart");
  assert.equal(await outcome(doors, `START TRANSACTION; ${insert(5)}; ${insert(5)}; COMMIT`), "duplicate_key");
  assert.equal(await outcome(doors, "DELETE FROM t WHERE a = 1 AND b = 'k'"), "done");
  assert.equal(await outcome(doors, insert(1, 5)), "done", "after a delete");
  assertEntries(engine, doors.catalog.find("t") as Table);
}

function rowsIn(engine: MapEngine, table: Table): number {
  const prefix = rowToKv.encodeKey(table, []);
  const cursor = engine.scan({ gte: prefix, lt: rowToKv.prefixEnd(prefix) });
  let rows = 0;
  while (cursor.next()) rows++;
  cursor.close();
  return rows;
}

describe("duplicates are refused, also where the table is or seems empty", () => {
  test("by our engine's reads", () => checkDuplicates(() => new MapEngine()));

  test("planted: no check until the first batch since the start", async () => {
    /** Believes that its rows' keyspace is empty until it has written to it, as the seed's freshGrantsEmpty does. */
    class AssumesEmpty extends MapEngine {
      #written = false;
      override getSync(wanted: Uint8Array): Uint8Array | undefined {
        return this.#written || wanted[3] === 0 ? super.getSync(wanted) : undefined;
      }
      override scan(range: Parameters<MapEngine["scan"]>[0]) {
        // The catalog is read when a store is opened.
        this.#written = false;
        return super.scan(range);
      }
      override applySync(batch: WriteBatch, index: number): void {
        super.applySync(batch, index);
        this.#written = true;
      }
    }
    await assert.rejects(checkDuplicates(() => new AssumesEmpty()), /after a restart/);
  });
});
