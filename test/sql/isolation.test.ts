/**
 * Interactive transactions of several sessions, interleaved statement by statement by a drawn schedule, judged by their
 * serial order.
 *
 * The judge: a second store without sessions, on which committed transactions run one after another in the order of their
 * commits. Each must see, statement by statement, what it saw in the concurrent run: rows, affected rows, errors. One
 * that wrote nothing must fit at some place between its begin and its end. At the end the stores must hold equal rows,
 * and the log, applied to an empty store, must give the concurrent one byte for byte.
 * That is serializability with the commit order as witness, and stricter than the absence of cycles among lists.
 * Planted: transactions whose commits look at nothing again, at keys alone, or at ranges alone, must be found.
 * `LATHE_TEST_RUNS` sets the histories; a failure prints its seed.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ColumnValue } from "../../src/parts/architecture/catalog/table.ts";
import type { Command, CommandStep } from "../../src/parts/concurrency/transaction/command.ts";
import type { InteractiveTransactions } from "../../src/parts/concurrency/transaction/interactive-transactions.ts";
import { createStateMachine } from "../../src/parts/concurrency/transaction/model/one_shot_command/state-machine.ts";
import { createStepRunner } from "../../src/parts/concurrency/transaction/model/one_shot_command/run-steps.ts";
import { createTransactions } from "../../src/parts/concurrency/transaction/model/single_node_acid/transactions.ts";
import { createCatalog } from "../../src/parts/architecture/catalog/kv_encoded/kv-encoded-catalog.ts";
import { kvSecondary } from "../../src/parts/indexing/equality/kv_secondary/kv-secondary.ts";
import {
  type InMemoryDoors, type InMemoryOptions, type RecordedResult, run,
} from "../../src/parts/query_processing/execution/model/point_api/in-memory-doors.fixture.ts";
import { entryOf } from "../../src/parts/replication/instant-log.fixture.ts";
import { MapEngine } from "../../src/parts/storage/map-engine.fixture.ts";
import type { ExecutorSession } from "../../src/parts/query_processing/executor.ts";
import { rowToKv } from "../../src/parts/storage/layout/row_to_kv/row-to-kv.ts";
import { drawing } from "./drawing.fixture.ts";
import { openWithTransactions } from "./open-transactions.fixture.ts";

const histories = Number(process.env.LATHE_TEST_RUNS ?? 150);
const definition = "CREATE TABLE t (id INT PRIMARY KEY, n INT, s VARCHAR(8), KEY by_n (n))";

function statement(draw: (below: number) => number): string {
  const id = draw(6);
  const more = id + draw(3);
  const n = draw(4);
  const forms = [
    `SELECT n, s FROM t WHERE id = ${id}`,
    `SELECT id, n FROM t WHERE id BETWEEN ${id} AND ${more}`,
    `SELECT id, s FROM t WHERE n = ${n}`,
    `SELECT COUNT(*), SUM(n) FROM t WHERE id > ${id}`,
    `SELECT id, n FROM t ORDER BY id DESC LIMIT ${1 + draw(2)}`,
    `SELECT DISTINCT n FROM t WHERE id < ${more} ORDER BY n`,
    `SELECT id FROM t WHERE n >= ${n} ORDER BY n DESC LIMIT 1 FOR UPDATE`,
    `SELECT COUNT(*) FROM t WHERE n = ${n}`,
    `UPDATE t SET n = n + 1 WHERE id = ${id}`,
    `UPDATE t SET n = ${n}, s = 'w${id}' WHERE id BETWEEN ${id} AND ${more}`,
    `UPDATE t SET n = n * 2 WHERE id = ${id} AND n < ${n}`,
    `DELETE FROM t WHERE id = ${id}`,
    `DELETE FROM t WHERE id >= ${id} AND n = ${n}`,
    `INSERT INTO t VALUES (${id}, ${n}, 'i${n}')`,
    `INSERT IGNORE INTO t VALUES (${id}, ${n}, 'g'), (${more}, 0, 'h')`,
    `INSERT INTO t VALUES (${id}, ${n}, 'u') ON DUPLICATE KEY UPDATE n = n + VALUES(n)`,
    `REPLACE INTO t VALUES (${id}, ${n}, 'r')`,
  ];
  return forms[draw(forms.length)];
}

interface Ran {
  readonly sql: string;
  readonly result: string;
}

interface Transaction {
  readonly statements: Ran[];
  /** Commits that had happened when it began, and when it ended. */
  readonly began: number;
  ended: number;
  writes: boolean;
}

const isWrite = (sql: string) => !sql.startsWith("SELECT");

const text = (result: RecordedResult): string => {
  const shown = (value: ColumnValue) => (typeof value === "bigint" ? `${value}` : value);
  if ("error" in result) return `error ${result.error.reason}`;
  if ("rows" in result) return JSON.stringify(result.rows.map((row) => row.map(shown)));
  return `${result.affected} affected, ${result.matched} matched`;
};

async function one(target: Pick<ExecutorSession, "query">, sql: string): Promise<string> {
  const results = await run(target as ExecutorSession, sql);
  assert.equal(results.length, 1, sql);
  return text(results[0]);
}

type Plant = (steps: readonly CommandStep[]) => readonly CommandStep[];

/** Transactions whose commands a planted bug has changed. */
function planted(inner: InteractiveTransactions, plant: Plant): InteractiveTransactions {
  return {
    isolation: inner.isolation,
    metrics: () => inner.metrics(),
    begin(options) {
      const transaction = inner.begin(options);
      const commit = transaction.commit.bind(transaction);
      transaction.commit = (): Command | undefined => {
        const command = commit();
        return command === undefined ? undefined : { steps: plant(command.steps) };
      };
      return transaction;
    },
  };
}

const withBug = (plant: Plant): InMemoryOptions => ({
  transactions: ({ env, engine, catalog }) => {
    const steps = createStepRunner({ catalog, layout: rowToKv, indexes: kvSecondary });
    return planted(createTransactions({ env, engine, catalog, steps }), plant);
  },
});

interface Outcome {
  readonly commits: number;
  readonly conflicts: number;
}

class History {
  readonly #draw: (below: number) => number;
  readonly #doors: InMemoryDoors;
  readonly committed: Transaction[] = [];
  readonly readers: Transaction[] = [];
  commits = 0;
  conflicts = 0;

  constructor(seed: number, doors: InMemoryDoors) {
    this.#draw = drawing(seed);
    this.#doors = doors;
  }

  async play(): Promise<void> {
    const draw = this.#draw;
    await run(this.#doors.executor, definition);
    const initial = "INSERT INTO t VALUES (1, 1, 'a'), (2, 2, 'b'), (4, 1, 'c')";
    this.committed.push({ statements: [{ sql: initial, result: await one(this.#doors.executor, initial) }], began: 0, ended: 1, writes: true });
    this.commits = 1;
    const clients = Array.from({ length: 2 + draw(3) }, () => ({
      session: this.#doors.executor.openSession(),
      open: undefined as Transaction | undefined,
      left: 0,
    }));
    for (let step = 0; step < 60; step++) {
      const client = clients[draw(clients.length)];
      if (client.open === undefined) {
        await one(client.session, draw(8) === 0 ? "START TRANSACTION WITH CONSISTENT SNAPSHOT" : "BEGIN");
        client.open = { statements: [], began: this.commits, ended: 0, writes: false };
        client.left = 1 + draw(4);
      } else if (client.left > 0) {
        client.left--;
        const sql = statement(draw);
        client.open.statements.push({ sql, result: await one(client.session, sql) });
        if (isWrite(sql)) client.open.writes = true;
      } else {
        await this.#end(client.session, client.open);
        client.open = undefined;
      }
    }
    for (const { session } of clients) session.reset();
    assert.equal(this.#doors.engine.openSnapshots, 0);
    assert.equal(this.#doors.engine.openCursors, 0);
  }

  async #end(session: ExecutorSession, transaction: Transaction): Promise<void> {
    if (this.#draw(6) === 0) return void (await one(session, "ROLLBACK"));
    const before = this.#doors.log.commands.length;
    const answer = await one(session, "COMMIT");
    if (answer === "error conflict") {
      this.conflicts++;
      return;
    }
    assert.equal(answer, "0 affected, 0 matched");
    if (this.#doors.log.commands.length > before) this.commits++;
    transaction.ended = this.commits;
    const wrote = this.#doors.log.commands.length > before;
    if (wrote) this.committed.push(transaction);
    else this.readers.push(transaction);
  }

  /** Throws where no serial order explains what was seen. */
  async judge(): Promise<Outcome> {
    const judge = openWithTransactions();
    await run(judge.executor, definition);
    const waiting = new Set(this.readers);
    for (let place = 0; place <= this.committed.length; place++) {
      for (const reader of waiting) {
        if (reader.began > place || reader.ended < place) continue;
        if (await this.#agrees(judge, reader)) waiting.delete(reader);
      }
      const next = this.committed[place];
      if (next === undefined) break;
      for (const { sql, result } of next.statements) assert.equal(await one(judge.executor, sql), result, sql);
    }
    assert.deepEqual([...waiting].map(({ statements }) => statements), [], "reads of no moment");
    assert.equal(await one(this.#doors.executor, "SELECT * FROM t"), await one(judge.executor, "SELECT * FROM t"));
    this.#replay();
    return { commits: this.commits, conflicts: this.conflicts };
  }

  /** Whether a transaction that wrote nothing could have stood here. Its writes, if any, changed nothing. */
  async #agrees(judge: InMemoryDoors, reader: Transaction): Promise<boolean> {
    const session = judge.executor.openSession();
    await one(session, "BEGIN");
    let agrees = true;
    for (const { sql, result } of reader.statements) agrees = agrees && (await one(session, sql)) === result;
    session.reset();
    return agrees;
  }

  #replay(): void {
    const engine = new MapEngine();
    const catalog = createCatalog({ engine, layout: rowToKv, indexes: kvSecondary });
    const machine = createStateMachine({ engine, catalog, layout: rowToKv, indexes: kvSecondary });
    this.#doors.log.commands.forEach((command, i) => machine.apply(i + 1, entryOf(i + 1, command)));
    assert.deepEqual([...engine.entries].sort(), [...this.#doors.engine.entries].sort());
  }
}

async function history(seed: number, options: InMemoryOptions = {}): Promise<Outcome> {
  const played = new History(seed, openWithTransactions({}, options));
  try {
    await played.play();
    return await played.judge();
  } catch (error) {
    throw new Error(`history of seed ${seed}: ${(error as Error).message}`, { cause: error });
  }
}

describe("interactive transactions are serializable in the order of their commits", () => {
  test("over drawn histories", async () => {
    const first = Number(process.env.LATHE_TEST_SEED ?? 1);
    const sum = { commits: 0, conflicts: 0 };
    for (let seed = first; seed < first + histories; seed++) {
      const { commits, conflicts } = await history(seed);
      sum.commits += commits;
      sum.conflicts += conflicts;
    }
    assert.ok(sum.commits > histories * 3 && sum.conflicts > histories / 3, JSON.stringify(sum));
  });

  const bugs: [string, Plant][] = [
    ["nothing is looked at again", (steps) => steps.filter(({ kind }) => kind !== "validate")],
    ["ranges are not looked at again", (steps) => steps.map((step) => (step.kind === "validate" ? { ...step, ranges: [] } : step))],
    ["keys are not looked at again", (steps) => steps.map((step) => (step.kind === "validate" ? { ...step, keys: [] } : step))],
    ["deletions are lost", (steps) => steps.map((step) => (step.kind === "write" ? { ...step, rows: step.rows.filter(({ value }) => value !== undefined) } : step))],
  ];
  for (const [name, plant] of bugs) {
    test(`planted: ${name}`, async () => {
      let found = 0;
      for (let seed = 1; seed <= 60 && found === 0; seed++) {
        await history(seed, withBug(plant)).catch(() => found++);
      }
      assert.ok(found > 0, "no history shows it");
    });
  }

  test("a rollback, or a disconnect, leaves nothing", async () => {
    const doors = openWithTransactions();
    await run(doors.executor, definition);
    const before = [...doors.engine.entries].map(String);
    const session = doors.executor.openSession();
    for (const end of ["ROLLBACK", undefined]) {
      await run(session, "BEGIN; INSERT INTO t VALUES (1, 1, 'a'); UPDATE t SET n = 2 WHERE id = 1; SELECT n FROM t WHERE id = 1 FOR UPDATE");
      if (end === undefined) session.reset();
      else await run(session, end);
      assert.deepEqual([...doors.engine.entries].map(String), before);
    }
  });
});
