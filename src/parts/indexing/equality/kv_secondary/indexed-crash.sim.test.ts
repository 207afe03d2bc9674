/**
 * Random SQL on a table with secondary indexes, definitions among it, on a node that loses power again and again.
 *
 * A life: statements one after another, each held against a model, until power is lost at a call of the disk that is
 * drawn from the seed. The next life must find the model as it was before or after the statement in flight, every row
 * with exactly its entries, and nothing in the store that belongs to no table or index: what was dropped is gone.
 * `LATHE_TEST_RUNS` sets the seeds. Planted bugs show that the checks would notice.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { noSelectionHash } from "../../../../kit/file-header.ts";
import { SimulatedDisk } from "../../../../simulation/simulated-disk.ts";
import { createSimulatedEnv, seededNumbers, type SimulatedEnv } from "../../../../simulation/simulated-env.ts";
import { createCatalog } from "../../../architecture/catalog/kv_encoded/kv-encoded-catalog.ts";
import type { CatalogStore } from "../../../architecture/catalog/catalog-store.ts";
import type { ColumnValue } from "../../../architecture/catalog/table.ts";
import { commandCodec } from "../../../concurrency/transaction/model/one_shot_command/command-codec.ts";
import { createStateMachine } from "../../../concurrency/transaction/model/one_shot_command/state-machine.ts";
import { openWal } from "../../../core/wal/wal.ts";
import { createParser } from "../../../parser/implementation/recursive_descent/recursive-descent.ts";
import type { Executor } from "../../../query_processing/executor.ts";
import { type RecordedResult, rowsOf, runOne } from "../../../query_processing/execution/model/point_api/in-memory-doors.fixture.ts";
import { createIndexedPlans } from "../../../query_processing/execution/model/point_api/indexed-plans.ts";
import { createExecutor } from "../../../query_processing/execution/model/point_api/point-api.ts";
import { type Comparing, compareKeys, literal, modelTable, type Operation, render, type Row, TableModel } from "../../../query_processing/execution/model/point_api/table-model.fixture.ts";
import { openSingleNodeLog } from "../../../replication/single_node/single-node-log.ts";
import type { StorageEngine } from "../../../storage/engine.ts";
import { rowToKv } from "../../../storage/layout/row_to_kv/row-to-kv.ts";
import { openBlackboardEngine } from "../../../storage/storage_model/row/kvlsm/blackboard/blackboard-engine.ts";
import { batchKindDeleteRange, WriteBatch } from "../../../storage/write-batch.ts";
import { assertEntries } from "./entries-judge.fixture.ts";
import { kvSecondary } from "./kv-secondary.ts";

const seeds = Number(process.env.LATHE_TEST_RUNS ?? 25);
const livesMax = 4;
const definitions = { by_n: "n", by_vn: "v, n", by_b: "b, x" };
type IndexName = keyof typeof definitions;

interface Node {
  readonly engine: StorageEngine;
  readonly catalog: CatalogStore;
  readonly executor: Executor;
  close(): Promise<void>;
}

/** How a planted bug changes the batches that reach the engine. */
type Plant = (batch: WriteBatch, apply: (batch: WriteBatch) => void) => void;

async function openNode(env: SimulatedEnv, plant: Plant | undefined): Promise<Node> {
  env.disk.makeDirectory("/data");
  const real = await openBlackboardEngine(env, {
    directory: "/data/engine", memtableBytes: 8192, blockBytes: 256, blockCacheBytes: 4096, levelBaseBytes: 8192,
    levelMultiplier: 2, targetFileBytes: 2048, l0CompactionTrigger: 2,
  });
  const engine = plant === undefined ? real : withPlant(real, plant);
  const catalog = createCatalog({ engine, layout: rowToKv, indexes: kvSecondary });
  const stateMachine = createStateMachine({ engine, catalog, layout: rowToKv, indexes: kvSecondary });
  const wal = await openWal(env, { directory: "/data/wal", selectionHash: noSelectionHash, segmentBytes: 64 << 10 });
  const log = openSingleNodeLog(env, { log: wal, stateMachine });
  await log.recover();
  const executor = createExecutor({
    env, engine, log, catalog, layout: rowToKv, codec: commandCodec, parser: createParser(kvSecondary.grammar),
    indexedPlans: createIndexedPlans(kvSecondary),
  });
  const close = async () => {
    await log.close();
    await engine.close();
  };
  return { engine, catalog, executor, close };
}

function withPlant(engine: StorageEngine, plant: Plant): StorageEngine {
  return new Proxy(engine, {
    get(target, name) {
      if (name === "applySync") {
        return (batch: WriteBatch, index: number) => plant(batch, (changed) => target.applySync(changed, index));
      }
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

/** What the database should hold: no table, or rows and the names of indexes. */
interface State {
  readonly model: TableModel;
  readonly indexes: ReadonlySet<IndexName> | undefined;
}

const copyOf = ({ model, indexes }: State): State => {
  const copy = new TableModel();
  copy.rows = model.rows.map((row) => [...row]);
  return { model: copy, indexes };
};

interface Statement {
  readonly sql: string;
  /** The state afterwards, where the statement is not refused. */
  after(state: State): State;
}

class Statements {
  readonly #next: () => number;

  constructor(next: () => number) {
    this.#next = next;
  }

  draw(state: State): Statement {
    const { indexes } = state;
    const roll = this.#next();
    if (indexes === undefined) return this.#create();
    if (roll < 0.02) return { sql: "DROP TABLE t", after: () => ({ model: new TableModel(), indexes: undefined }) };
    if (roll < 0.09) return this.#changeIndex(indexes);
    const operation = this.#operation();
    return {
      sql: render(operation, literal),
      after(before) {
        const after = copyOf(before);
        after.model.transaction([operation]);
        return after;
      },
    };
  }

  #create(): Statement {
    const names = (Object.keys(definitions) as IndexName[]).filter(() => this.#next() < 0.6);
    const clauses = names.map((name) => `, KEY ${name} (${definitions[name]})`).join("");
    return { sql: `${modelTable.slice(0, -1)}${clauses})`, after: () => ({ model: new TableModel(), indexes: new Set(names) }) };
  }

  #changeIndex(there: ReadonlySet<IndexName>): Statement {
    const name = this.#of(Object.keys(definitions) as IndexName[]);
    if (!there.has(name)) {
      return {
        sql: `CREATE INDEX ${name} ON t (${definitions[name]})`,
        after: ({ model, indexes }) => ({ model, indexes: new Set([...(indexes ?? []), name]) }),
      };
    }
    return {
      sql: `DROP INDEX ${name} ON t`,
      after: ({ model, indexes }) => ({ model, indexes: new Set([...(indexes ?? [])].filter((other) => other !== name)) }),
    };
  }

  #operation(): Operation {
    const roll = this.#next();
    if (roll < 0.5) {
      return { kind: "insert", rows: Array.from({ length: 1 + Math.floor(this.#next() * 30) }, () => this.#row()), unless: [] };
    }
    if (roll < 0.8) {
      const row = this.#row();
      const set = [2, 3, 4].filter(() => this.#next() < 0.6).map((column) => ({ column, value: row[column] }));
      return { kind: "update", where: this.#where(), set: set.length === 0 ? [{ column: 2, value: row[2] }] : set };
    }
    return { kind: "delete", where: this.#where() };
  }

  #where(): Comparing[] {
    const [a, b] = this.#row();
    const first: Comparing = { column: 0, comparison: "=", value: a };
    return this.#next() < 0.3 ? [first] : [first, { column: 1, comparison: "=", value: b }];
  }

  #row(): Row {
    return [
      BigInt(Math.floor(this.#next() * 200) - 20), this.#of(["", "a", "a\0b", "é", "zz"]), this.#of([null, -5, 0, 1, 2_147_483_647]),
      this.#of([null, 0, -1.5, 1e300]), this.#of([null, "", "x", "yy", "it's", "ü"]),
    ];
  }

  #of<Value>(values: readonly Value[]): Value {
    return values[Math.floor(this.#next() * values.length)];
  }
}

async function foundState({ engine, catalog, executor }: Node): Promise<State> {
  const table = catalog.find("t");
  const model = new TableModel();
  const owned = new Set([0]);
  if (table !== undefined) {
    model.rows = rowsOf(await runOne(executor, "SELECT * FROM t ORDER BY a, b"));
    assertEntries(engine, table);
    for (const { id } of [table, ...(table.indexes ?? [])]) owned.add(id);
  }
  const cursor = engine.scan({});
  while (cursor.next()) {
    const id = new DataView(cursor.key.buffer, cursor.key.byteOffset).getUint32(0);
    assert.ok(owned.has(id), `a key of id ${id} belongs to no table and no index`);
  }
  cursor.close();
  const names = table === undefined ? undefined : new Set((table.indexes ?? []).map(({ name }) => name as IndexName));
  return { model, indexes: names };
}

const shown = ({ model, indexes }: State): unknown => ({
  rows: [...model.rows].sort(compareKeys).map((row) => row.map((value: ColumnValue) => (value === null ? null : String(value)))),
  indexes: indexes === undefined ? undefined : [...indexes].sort(),
});

function isEqual(one: State, other: State): boolean {
  return JSON.stringify(shown(one)) === JSON.stringify(shown(other));
}

/** A life on a disk; returns the states that the next one may find. */
async function live(disk: SimulatedDisk, seed: number, before: readonly State[], plant: Plant | undefined): Promise<readonly State[]> {
  const env = createSimulatedEnv({ seed, disk });
  let possible = before;
  const work = async () => {
    const node = await openNode(env, plant);
    const found = await foundState(node);
    assert.ok(
      before.some((state) => isEqual(state, found)),
      `found ${JSON.stringify(shown(found))}, which is none of ${JSON.stringify(before.map(shown))}`,
    );
    possible = [found];
    const statements = new Statements(env.next);
    let state = found;
    for (let i = 0; i < 60; i++) {
      const statement = statements.draw(state);
      const after = statement.after(state);
      possible = [state, after];
      const result: RecordedResult = await runOne(node.executor, statement.sql);
      // What was answered after the lights went out was not.
      if (disk.crashed) throw new Error("the machine lost power");
      state = "error" in result ? state : after;
      if ("error" in result) assert.equal(result.error.reason, "duplicate_key", `${statement.sql}: ${result.error.message}`);
      possible = [state];
      if (i % 10 === 9) assert.ok(isEqual(await foundState(node), state), `after ${statement.sql}`);
    }
    await node.engine.compactAll();
    assert.ok(isEqual(await foundState(node), state), "after a compaction of everything");
    await node.close();
  };
  try {
    await env.run(work());
  } catch (thrown) {
    if (!disk.crashed || (thrown as { code?: string }).code === "ERR_ASSERTION") throw thrown;
  }
  return possible;
}

/** The number of crashes. Throws where a life finds what it must not. */
async function run(seed: number, plant?: Plant): Promise<number> {
  const next = seededNumbers(seed);
  let disk = new SimulatedDisk();
  let possible: readonly State[] = [{ model: new TableModel(), indexes: undefined }];
  let crashes = 0;
  try {
    for (let life = 0; life < livesMax; life++) {
      const last = life === livesMax - 1;
      if (!last) disk.fault = { call: disk.calls + 1 + Math.floor(next() * 400), code: "CRASH", persistent: true };
      possible = await live(disk, seed * 101 + life, possible, plant);
      if (disk.crashed) crashes++;
      disk = disk.crash(next);
    }
  } catch (thrown) {
    throw new Error(`seed ${seed}: ${(thrown as Error).message}`, { cause: thrown });
  }
  return crashes;
}

/** The operations of a batch for which `keep` holds, as a batch. */
function filtered(batch: WriteBatch, keep: (kind: number, key: Uint8Array, valueBytes: number) => boolean): WriteBatch {
  const kept = new WriteBatch();
  batch.forEach((kind, bytes, keyStart, keyEnd, valueEnd) => {
    const key = bytes.slice(keyStart, keyEnd);
    if (!keep(kind, key, valueEnd - keyEnd)) return;
    const value = bytes.slice(keyEnd, valueEnd);
    if (kind === 1) kept.put(key, value);
    else if (kind === batchKindDeleteRange) kept.deleteRange(key, value);
    else kept.delete(key);
  });
  return kept;
}

describe("rows, index entries and definitions survive power loss together", () => {
  test(`over ${seeds} seeds of up to ${livesMax} lives`, async () => {
    let crashes = 0;
    for (let seed = 1; seed <= seeds; seed++) crashes += await run(seed);
    assert.ok(crashes > seeds, `${crashes} crashes`);
  });

  const plants: [string, Plant][] = [
    ["a drop leaves its rows and entries", (batch, apply) => apply(filtered(batch, (kind) => kind !== batchKindDeleteRange))],
    ["entries of deleted rows stay", (batch, apply) => apply(filtered(batch, (kind, key) => kind !== 2 || new DataView(key.buffer).getUint32(0) < 2))],
    ["the last entry of a batch is lost", (batch, apply) => {
      let place = 0;
      apply(filtered(batch, (kind, _key, valueBytes) => !(++place === batch.count && kind === 1 && valueBytes === 0)));
    }],
  ];
  for (const [name, plant] of plants) {
    test(`planted: ${name}`, async () => {
      await assert.rejects(async () => {
        for (let seed = 1; seed <= 40; seed++) await run(seed, plant);
      }, /^Error: seed \d+: /);
    });
  }
});
