/**
 * The state machine: all or nothing, conditions at apply, equal replicas, TAOBench's conditional edges.
 * `LATHE_TEST_RUNS` sets the runs per property.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import fc from "fast-check";
import { createCatalog } from "../../../../architecture/catalog/kv_encoded/kv-encoded-catalog.ts";
import type { ColumnValue, Table } from "../../../../architecture/catalog/table.ts";
import { entryOf } from "../../../../replication/instant-log.fixture.ts";
import { MapEngine } from "../../../../storage/map-engine.fixture.ts";
import type { IndexWrites, SecondaryIndexes } from "../../../../indexing/secondary-indexes.ts";
import type { StorageEngine } from "../../../../storage/engine.ts";
import { rowToKv } from "../../../../storage/layout/row_to_kv/row-to-kv.ts";
import { createLruCache } from "../../../../storage/page_io/replacement/lru/lru-cache.ts";
import type { Cache } from "../../../../storage/page_io/cache.ts";
import type { WriteBatch } from "../../../../storage/write-batch.ts";
import type { ColumnCondition, CommandResult, CommandStep, RowPredicate } from "../../command.ts";
import { commandCodec } from "./command-codec.ts";
import { createStateMachine } from "./state-machine.ts";

const runs = { numRuns: Number(process.env.LATHE_TEST_RUNS ?? 150) };

const edges: Table = {
  id: 0,
  name: "edges",
  columns: [
    ...["id1", "id2", "type"].map((name) => ({ name, type: "bigint" as const, nullable: false })),
    { name: "timestamp", type: "bigint", nullable: true },
    { name: "value", type: "varchar", lengthMax: 150, nullable: true },
  ],
  primaryKey: [0, 1, 2],
};
const [id2, type, timestamp] = [1, 2, 3];

function open(cache?: Cache, engine = new MapEngine()) {
  const catalog = createCatalog({ engine, layout: rowToKv });
  const machine = createStateMachine({ engine, catalog, layout: rowToKv, cache });
  let index = engine.appliedIndex;
  const apply = (...steps: CommandStep[]): CommandResult =>
    machine.apply(++index, entryOf(index, commandCodec.encode({ steps })));
  return { engine, catalog, machine, apply };
}

function openEdges(cache?: Cache) {
  const doors = open(cache);
  doors.apply({ kind: "createTable", table: edges, ifNotExists: false });
  return doors;
}

const is = (ordinal: number, value: ColumnValue): ColumnCondition => ({ ordinal, comparison: "=", value });
const under = (keyPrefix: ColumnValue[], ...conditions: ColumnCondition[]): RowPredicate => ({ tableId: 1, keyPrefix, conditions });
const row = (a: number, b: number, t: number, time = 1, value = "v"): ColumnValue[] => [BigInt(a), BigInt(b), BigInt(t), BigInt(time), value];
const insert = (rows: ColumnValue[][], unless: RowPredicate[] = []): CommandStep => ({ kind: "insert", tableId: 1, rows, unless });
const readAll: CommandStep = { kind: "read", target: under([]), limit: 1000 };
const counts = (result: CommandResult) => {
  assert.ok(result.ok);
  return result.steps.map((step) => (step.kind === "changed" ? step.changedRows : step.rows.length));
};

function stateHash(engine: StorageEngine): string {
  const hash = createHash("sha256");
  const cursor = engine.scan({});
  while (cursor.next()) hash.update(`${cursor.key.length},${cursor.value.length};`).update(cursor.key).update(cursor.value);
  cursor.close();
  return hash.digest("hex");
}

describe("one-shot commands", () => {
  test("steps see the steps before them, and a refused step undoes them all", () => {
    const { engine, machine, apply } = openEdges();
    const result = apply(
      insert([row(1, 2, 3), row(1, 2, 4)]),
      { kind: "update", target: under([1n, 2n], is(type, 3n)), set: [{ ordinal: timestamp, value: 9n }] },
      { kind: "delete", target: under([1n, 2n, 4n]) },
      insert([row(1, 2, 4, 7, "again")]),
      readAll,
    );
    assert.ok(result.ok);
    assert.deepEqual(result.steps[4], { kind: "rows", rows: [row(1, 2, 3, 9), row(1, 2, 4, 7, "again")] });
    const before = stateHash(engine);
    const refused = apply({ kind: "delete", target: under([]) }, insert([row(5, 5, 5)]), insert([row(6, 6, 6), row(5, 5, 5)]));
    assert.ok(!refused.ok);
    assert.deepEqual([refused.step, refused.error.reason], [2, "duplicate_key"]);
    assert.equal(refused.error.message, "'5-5-5' in table edges");
    assert.equal(stateHash(engine), before);
    assert.equal(machine.appliedIndex, 3);
    assert.equal(engine.appliedIndex, 2);
  });

  test("an update counts what it matched and what it changed", () => {
    const { apply } = openEdges();
    apply(insert([row(1, 1, 1), row(1, 2, 1), row(2, 1, 1)]));
    const older: ColumnCondition = { ordinal: timestamp, comparison: "<", value: 5n };
    const set = [{ ordinal: timestamp, value: 5n }];
    const result = apply({ kind: "update", target: under([1n], older), set }, { kind: "update", target: under([1n], older), set });
    assert.ok(result.ok);
    assert.deepEqual(result.steps, [
      { kind: "changed", matchedRows: 2, changedRows: 2 },
      { kind: "changed", matchedRows: 0, changedRows: 0 },
    ]);
    const same = apply({ kind: "update", target: under([1n, 1n, 1n]), set });
    assert.deepEqual(same.ok && same.steps, [{ kind: "changed", matchedRows: 1, changedRows: 0 }]);
  });

  test("NULL meets no condition, and no key has it", () => {
    const { apply } = openEdges();
    assert.deepEqual(counts(apply(insert([[1n, 1n, 1n, null, null]]))), [1]);
    const conditions: ColumnCondition[] = [is(timestamp, null), { ordinal: timestamp, comparison: "<>", value: 1n }, is(timestamp, 1n)];
    for (const condition of conditions) assert.deepEqual(counts(apply({ kind: "delete", target: under([1n], condition) })), [0]);
    assert.deepEqual(counts(apply({ kind: "delete", target: under([null]) })), [0]);
    const refused = apply(insert([[null, 1n, 1n, 1n, "x"]]));
    assert.equal(!refused.ok && refused.error.reason, "null_in_key");
  });

  test("tables come and go with their commands", () => {
    const { apply, catalog } = openEdges();
    const table = { ...edges, name: "other" };
    const refused = apply({ kind: "createTable", table, ifNotExists: false }, { kind: "createTable", table: edges, ifNotExists: false });
    assert.equal(!refused.ok && refused.error.reason, "table_exists");
    assert.equal(catalog.find("other"), undefined);
    const swapped = apply(
      { kind: "dropTable", name: "edges", ifExists: false },
      { kind: "createTable", table: edges, ifNotExists: false },
      { ...insert([row(1, 1, 1)]), tableId: 2 } as CommandStep,
    );
    assert.ok(swapped.ok, JSON.stringify(swapped));
    assert.equal(catalog.find("edges")?.id, 2);
    const late = apply(insert([row(1, 1, 1)]));
    assert.equal(!late.ok && late.error.reason, "table_missing");
    assert.ok(apply({ kind: "dropTable", name: "nothing", ifExists: true }).ok);
    assert.ok(!apply({ kind: "dropTable", name: "nothing", ifExists: false }).ok);
  });

  test("rows and keys over the engine's limits are refused, not half written", () => {
    const { apply, engine } = openEdges();
    const before = stateHash(engine);
    const refused = apply(insert([row(1, 1, 1), row(2, 2, 2, 1, "x".repeat(engine.capabilities.valueBytesMax))]));
    assert.equal(!refused.ok && refused.error.reason, "value_too_long");
    assert.equal(stateHash(engine), before);
  });

  test("a command that cannot be read changes nothing", () => {
    const { machine, engine } = openEdges();
    const before = stateHash(engine);
    assert.throws(() => machine.apply(2, entryOf(2, Uint8Array.of(1, 9, 9))), { code: "CORRUPTION" });
    assert.throws(() => machine.apply(1, entryOf(1, commandCodec.encode({ steps: [] }))), { code: "ASSERTION" });
    assert.equal(stateHash(engine), before);
    assert.equal(machine.appliedIndex, 1);
  });

  test("a bulk insert finds duplicates among its own rows, wherever they are", () => {
    for (const place of [1, 999, 4999]) {
      const { apply, engine } = openEdges();
      const rows = Array.from({ length: 5000 }, (_, i) => row(i, i * 7, 3));
      rows[place] = row(0, 0, 3);
      const refused = apply(insert(rows));
      assert.equal(!refused.ok && refused.error.reason, "duplicate_key");
      assert.equal(engine.appliedIndex, 1);
      rows[place] = row(0, 0, 4);
      assert.deepEqual(counts(apply(insert(rows))), [5000]);
      assert.deepEqual(counts(apply({ kind: "delete", target: under([0n]) }, readAll)), [2, 1000]);
    }
  });
});

/** TAOBench's edge types and what each may not stand beside (a is id1, b is id2 of the new edge). */
const unique = 0n;
const bidirectional = 1n;
const uniqueAndBidirectional = 2n;
const other = 3n;
const guards: Record<string, (a: bigint, b: bigint) => RowPredicate[]> = {
  [String(other)]: (a, b) => [under([a], is(type, unique)), under([a], is(type, uniqueAndBidirectional)), under([a, b, bidirectional]), under([b, a])],
  [String(bidirectional)]: (a, b) => [
    under([a], is(type, unique)),
    under([a], is(type, uniqueAndBidirectional)),
    under([a, b, other]),
    under([b, a, other]),
    under([a, b, unique]),
  ],
  [String(unique)]: (a, b) => [under([a]), under([b, a])],
  [String(uniqueAndBidirectional)]: (a, b) => [under([a]), under([b, a, other]), under([b, a, unique])],
};

describe("TAOBench's conditional edges", () => {
  const a = 10n;
  const b = 20n;
  const elsewhere = 30n;
  /** Which edges of one type there, at [id1, id2], block a new edge (a, b) of each type. From the drivers' statements. */
  const blocked = (there: bigint, from: bigint, to: bigint, kind: bigint): boolean => {
    const sameStart = from === a;
    const same = from === a && to === b;
    const inverse = from === b && to === a;
    if (kind === other) {
      return (sameStart && (there === unique || there === uniqueAndBidirectional)) || (same && there === bidirectional) || inverse;
    }
    if (kind === bidirectional) {
      const uniqueStart = sameStart && (there === unique || there === uniqueAndBidirectional);
      return uniqueStart || (same && there === other) || (inverse && there === other) || (same && there === unique);
    }
    if (kind === unique) return sameStart || inverse;
    return sameStart || (inverse && (there === other || there === unique));
  };
  const kinds = [unique, bidirectional, uniqueAndBidirectional, other];
  for (const kind of kinds) {
    test(`an edge of type ${kind} beside each other edge`, () => {
      let checked = 0;
      for (const there of kinds) {
        for (const [from, to] of [[a, b], [b, a], [a, elsewhere], [elsewhere, b], [elsewhere, a], [b, elsewhere]]) {
          if (from === a && to === b && there === kind) continue;
          const { apply } = openEdges();
          apply(insert([[from, to, there, 1n, "there"]]));
          const result = apply(insert([[a, b, kind, 2n, "new"]], guards[String(kind)](a, b)));
          assert.deepEqual(counts(result), [blocked(there, from, to, kind) ? 0 : 1], `${there} at (${from}, ${to})`);
          checked++;
        }
      }
      assert.equal(checked, 23);
    });
  }

  test("conditions see edges of the same command, and share scans", () => {
    const { apply, engine } = openEdges();
    const first = insert([[a, b, other, 1n, "x"]], guards[String(other)](a, b));
    const second = insert([[b, a, other, 1n, "y"]], guards[String(other)](b, a));
    let scans = 0;
    const scan = engine.scan.bind(engine);
    engine.scan = (range) => {
      scans++;
      return scan(range);
    };
    assert.deepEqual(counts(apply(first, second)), [1, 0]);
    // The second meets the first in its last predicate: two scans for each, where one predicate each would be four.
    assert.equal(scans, 4);
  });
});

const small = fc.integer({ min: 0, max: 3 });
const randomStep: fc.Arbitrary<CommandStep> = fc.oneof(
  { weight: 4, arbitrary: fc.array(fc.tuple(small, small, small, small), { maxLength: 4 }).map((rows) => insert(rows.map((r) => row(...r)))) },
  { weight: 3, arbitrary: fc.tuple(small, small, small).map(([x, y, t]) => insert([row(x, y, t)], guards[String(t)](BigInt(x), BigInt(y)))) },
  {
    weight: 3,
    arbitrary: fc.tuple(small, small, fc.nat(3), small).map(([x, y, length, time]): CommandStep => ({
      kind: "update",
      target: under([BigInt(x), BigInt(y), 1n].slice(0, length), { ordinal: timestamp, comparison: "<", value: BigInt(time) }),
      set: [{ ordinal: timestamp, value: BigInt(time) }],
    })),
  },
  { weight: 2, arbitrary: fc.tuple(small, small, fc.nat(2)).map(([x, y, length]): CommandStep => ({ kind: "delete", target: under([BigInt(x), BigInt(y)].slice(0, length), is(id2, BigInt(y))) })) },
  { weight: 1, arbitrary: fc.constant(readAll) },
);

describe("replicas", () => {
  test("an entry that expires, or a range delete, never comes behind a row cache", () => {
    const planted: ((batch: WriteBatch) => void)[] = [
      (batch) => batch.put(Uint8Array.of(9), Uint8Array.of(1), { expiresAtMs: 5 }),
      (batch) => batch.deleteRange(Uint8Array.of(9), Uint8Array.of(10)),
    ];
    for (const plant of planted) {
      const engine = new MapEngine();
      const catalog = createCatalog({ engine, layout: rowToKv });
      const writes = { begin: () => undefined, addTo: plant } as unknown as IndexWrites;
      const indexes = { createWrites: () => writes } as unknown as SecondaryIndexes;
      const cache = createLruCache({ capacityBytes: 1 << 16 });
      const machine = createStateMachine({ engine, catalog, layout: rowToKv, cache, indexes });
      const create: CommandStep = { kind: "createTable", table: edges, ifNotExists: false };
      const apply = () => machine.apply(1, entryOf(1, commandCodec.encode({ steps: [create] })));
      assert.throws(apply, /rows behind a row cache do not expire/);
      assert.equal(engine.appliedIndex, 0);
    }
  });

  test("one log applied to replicas with different caches, and to one that restarts, gives one state", () => {
    const logs = fc.array(fc.array(randomStep, { minLength: 1, maxLength: 4 }), { maxLength: 25 });
    fc.assert(
      fc.property(logs, fc.nat(25), (log, restartAt) => {
        const cache = createLruCache({ capacityBytes: 1 << 16 });
        const plain = openEdges();
        const cached = openEdges(cache);
        let restarted = openEdges();
        log.forEach((steps, i) => {
          if (i === restartAt) restarted = open(undefined, restarted.engine);
          // Reads of the other replica's clients fill its cache in between.
          for (let k = 0; k < 4; k++) {
            const key = rowToKv.encodeKey({ ...edges, id: 1 }, [BigInt(k), BigInt(i % 4), 1n]);
            const value = cached.engine.getSync(key);
            if (value !== undefined) cache.fill(key, value, cache.epoch());
          }
          const outcome = plain.apply(...steps);
          assert.deepEqual(cached.apply(...steps), outcome);
          assert.deepEqual(restarted.apply(...steps), outcome);
        });
        assert.equal(stateHash(cached.engine), stateHash(plain.engine));
        assert.equal(stateHash(restarted.engine), stateHash(plain.engine));
        for (const [key, value] of plain.engine.entries) {
          const kept = cache.get(Buffer.from(key, "latin1"));
          if (kept !== undefined) assert.deepEqual(Buffer.from(kept), Buffer.from(value), "the cache is never stale");
        }
      }),
      runs,
    );
  });

  test("the comparison would notice a replica that differs in one byte", () => {
    const one = openEdges();
    const two = openEdges();
    one.apply(insert([row(1, 1, 1, 1, "a")]));
    two.apply(insert([row(1, 1, 1, 1, "b")]));
    assert.notEqual(stateHash(one.engine), stateHash(two.engine));
  });
});

