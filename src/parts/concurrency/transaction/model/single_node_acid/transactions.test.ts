/**
 * Open transactions over the ports alone: one moment, own writes over it, one command at the end, limits. How they go
 * with the state machine and with SQL is tested in the workshop.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Catalog } from "../../../../architecture/catalog/table.ts";
import { MapEngine } from "../../../../storage/map-engine.fixture.ts";
import { WriteBatch } from "../../../../storage/write-batch.ts";
import type { CommandStep } from "../../command.ts";
import type { StepRunner } from "../../step-runner.ts";
import { createTransactions, type TransactionLimits } from "./transactions.ts";

const bytes = (text: string) => Buffer.from(text);
const textOf = (value: Uint8Array | undefined) => (value === undefined ? undefined : Buffer.from(value).toString());

/** Inserts put the second column at the first one, without a look. */
const steps: StepRunner = {
  run(wanted, _reader, _numbers, writes) {
    for (const step of wanted) {
      if (step.kind !== "insert") throw new Error(step.kind);
      for (const [key, value] of step.rows) writes.row(bytes(String(key)), bytes(String(value)));
    }
    return { ok: true, steps: [{ kind: "changed", matchedRows: 1, changedRows: 1 }] };
  },
};
const insert = (key: string, value: string): CommandStep[] => [{ kind: "insert", tableId: 1, rows: [[key, value]], unless: [] }];

function open(limits: Partial<TransactionLimits> = {}) {
  const engine = new MapEngine();
  const timers: (() => void)[] = [];
  let nowUs = 0;
  const setTimer = (_: number, callback: () => void) => {
    timers.push(callback);
    return { cancel() {}, keepAlive() {} };
  };
  const clock = { nowMs: () => nowUs / 1000, monotonicUs: () => nowUs, setTimer, defer: queueMicrotask };
  const catalog: Catalog = { find: () => undefined, byId: () => undefined, list: () => [], version: 1 };
  const put = (key: string, value: string) => {
    const batch = new WriteBatch();
    batch.put(bytes(key), bytes(value));
    engine.applySync(batch, engine.appliedIndex + 1);
  };
  const pass = (ms: number) => {
    nowUs += ms * 1000;
    for (const callback of timers.splice(0)) callback();
  };
  return { engine, put, pass, transactions: createTransactions({ env: { clock }, engine, catalog, steps, limits }) };
}

test("a transaction sees one moment and its own writes; its commit is one command that looks again, then writes", () => {
  const { engine, put, transactions } = open();
  put("a", "1");
  const transaction = transactions.begin();
  assert.equal(textOf(transaction.view.getSync(bytes("a"))), "1");
  put("a", "2");
  put("b", "2");
  assert.equal(textOf(transaction.view.getSync(bytes("a"))), "1");
  assert.ok(transaction.run(insert("c", "own")).ok);
  const seen: string[] = [];
  const cursor = transaction.view.scan({});
  while (cursor.next()) seen.push(`${textOf(cursor.key)}=${textOf(cursor.value)}`);
  cursor.close();
  assert.deepEqual(seen, ["a=1", "c=own"]);
  assert.equal(engine.getSync(bytes("c")), undefined);
  const command = transaction.commit();
  assert.deepEqual(command?.steps.map(({ kind }) => kind), ["validate", "write"]);
  const [, written] = command?.steps ?? [];
  assert.ok(written.kind === "write");
  assert.deepEqual(written.rows.map(({ key, value }) => [textOf(key), textOf(value)]), [["c", "own"]]);
  assert.equal(engine.openSnapshots, 0);
});

test("what was written after a savepoint can be undone; one that writes nothing has no command", () => {
  const { engine, transactions } = open();
  const transaction = transactions.begin();
  transaction.run(insert("kept", "1"));
  transaction.savepoint("Here");
  transaction.run(insert("undone", "2"));
  assert.equal(transaction.rollbackTo("here"), true);
  assert.equal(transaction.rollbackTo("there"), false);
  assert.equal(transaction.view.getSync(bytes("undone")), undefined);
  assert.equal(textOf(transaction.view.getSync(bytes("kept"))), "1");
  transaction.rollback();
  assert.throws(() => transaction.view.getSync(bytes("elsewhere")), { code: "CLOSED" });
  assert.throws(() => transaction.view.getSync(bytes("kept")), { code: "CLOSED" }, "nor are its own writes there");
  const reader = transactions.begin({ readOnly: true });
  reader.view.getSync(bytes("kept"));
  assert.equal(reader.commit(), undefined);
  assert.equal(engine.openSnapshots, 0);
});

test("limits: how many are open, what one writes, and for how long it says nothing", () => {
  const { engine, pass, transactions } = open({ openMax: 2, writeBytesMax: 1000, idleTimeoutMs: 1000 });
  const [idle, active] = [transactions.begin({ now: true }), transactions.begin()];
  assert.throws(() => transactions.begin(), { code: "LIMIT_EXCEEDED", message: /2 transactions are open/ });
  assert.throws(() => active.run(insert("k", "x".repeat(2000))), { code: "LIMIT_EXCEEDED" });
  for (let count = 0; count < 6; count++) {
    pass(250);
    assert.equal(active.lost(), undefined);
  }
  assert.equal(idle.lost()?.reason, "conflict");
  assert.equal(engine.openSnapshots, 1);
  active.rollback();
  assert.equal(engine.openSnapshots, 0);
  transactions.begin().rollback();
});
