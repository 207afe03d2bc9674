import assert from "node:assert/strict";
import { test } from "node:test";
import type { OperationSpec, TableSpec, WorkloadSpec } from "../../contract/contract.ts";
import { createWorkload } from "../create-workload.ts";
import { textRow } from "../row-view.fixture.ts";
import type { CellValue, Operation, OperationStep, ReadStep } from "../workload.ts";
import { OwnWorkload } from "./own-workload.ts";

const text = (name: string, lengthMax: number) => ({ name, type: "varchar", lengthMax, nullable: false }) as const;
const number = (name: string, type: "int" | "bigint" | "double") => ({ name, type, nullable: false }) as const;
const tables: readonly TableSpec[] = [
  {
    name: "items",
    columns: [number("order", "int"), text("kind", 2), text("name", 80), number("price", "bigint"),
      number("stock", "int"), number("weight", "double"), text("code", 3)],
    primaryKey: ["order", "kind"],
    rows: 400,
  },
  { name: "users", columns: [text("token", 32), text("data", 300)], primaryKey: ["token"], rows: 100 },
];
const zipfian = { distribution: "zipfian", skew: 0.9 } as const;
const operations: readonly OperationSpec[] = [
  { name: "READ", weight: 50, ...zipfian, valueBytes: 100 },
  { name: "UPDATE", weight: 20, distribution: "uniform", valueBytes: 40 },
  { name: "INSERT", weight: 10, distribution: "latest" },
  { name: "DELETE", weight: 10, distribution: "uniform" },
  { name: "SCAN", weight: 5, distribution: "zipfian", skew: 1.3 },
  { name: "WRITETRANSACTION", weight: 5, distribution: "latest", statementsMin: 3, statementsMax: 5 },
];
const spec: WorkloadSpec = {
  benchmark: "ycsb", profile: "a", scale: 1000, clients: 3, loop: "closed", operations, tables,
};

test("rows are those of the contract, all keys differ, and values stay within their columns", () => {
  const keys = new Set<string>();
  let rows = 0;
  for (const batch of createWorkload(spec).load(64)) {
    const table = tables.find(({ name }) => name === batch.table) as TableSpec;
    for (const row of batch.rows) {
      rows++;
      row.forEach((cell, at) => {
        const { type, lengthMax = 0 } = table.columns[at];
        if (type === "varchar") assert.ok((cell as string).length <= lengthMax);
        if (type === "int") assert.ok((cell as number) >= 0 && (cell as number) < 2 ** 31);
        if (type === "bigint") assert.equal(BigInt.asIntN(64, cell as bigint), cell);
      });
      keys.add(`${batch.table}/${table.primaryKey.map((name) => row[table.columns.findIndex((one) => one.name === name)])}`);
    }
  }
  assert.equal(rows, 1250);
  assert.equal(keys.size, rows);
});

test("a seed fixes the operations; weights hold; clients never insert or delete the same key", () => {
  const workload = createWorkload(spec);
  const take = (seed: number, client: number) => {
    const stream = workload.client(seed, client, 3);
    return Array.from({ length: 4000 }, () => stream.next());
  };
  const shown = (some: readonly Operation[]) => JSON.stringify(some, (_, value: unknown) =>
    typeof value === "bigint" ? String(value) : value);
  assert.equal(shown(take(5, 1)), shown(take(5, 1)));
  assert.notEqual(shown(take(5, 1)), shown(take(6, 1)));
  const seen = new Set<string>();
  const counts = new Map<string, number>();
  for (const client of [0, 1, 2]) {
    const own = new Set<string>();
    for (const { name, steps } of take(5, client)) {
      counts.set(name, (counts.get(name) ?? 0) + 1);
      for (const step of steps) {
        if (step.kind === "insert") own.add(`${step.table} ${step.row.slice(0, 2).join("/")}`);
        if (step.kind === "delete") own.add(`delete ${step.table} ${step.key.join("/")}`);
      }
    }
    for (const one of own) assert.ok(!seen.has(one), one);
    for (const one of own) seen.add(one);
  }
  for (const { name, weight } of operations) {
    const share = (counts.get(name) ?? 0) / 12_000;
    // Four standard deviations of 12,000 draws are below 1.9 %.
    assert.ok(Math.abs(share - weight / 100) < 0.019, `${name} ${share}`);
  }
});

test("the verifier accepts what was written in every column and finds every planted lie", () => {
  const workload = new OwnWorkload(spec, tables);
  const [items] = workload.tables;
  const verifier = workload.verifier();
  const read: ReadStep = { kind: "read", table: "items", key: items.key(7) };
  const good = items.row(7);
  const check = (cells: readonly CellValue[], floor = verifier.floor(read)) =>
    verifier.checkRow(read, textRow(tables[0], cells), floor);
  assert.equal(check(good), undefined);
  assert.match(verifier.checkMissing(read, verifier.floor(read)) ?? "", /missing/);
  const other = items.row(8);
  assert.match(check(other) ?? "", /came for/);
  for (const at of [2, 3, 4, 5, 6]) {
    const lie = good.map((cell, column) => (column === at ? other[at] : cell));
    assert.match(check(lie) ?? "", /never written|never sent/, tables[0].columns[at].name);
  }
  const operation = (step: OperationStep): Operation => ({ name: "X", transaction: false, steps: [step] });
  for (const at of [2, 3, 4, 5]) {
    const value = items.value(items.hashOf(read.key), at, 12);
    const column = tables[0].columns[at].name;
    const update = operation({ kind: "update", table: "items", key: read.key, timestamp: 12n, value, column });
    const early = verifier.floor(read);
    const updated = good.map((cell, one) => (one === at ? value : cell));
    assert.match(check(updated) ?? "", /never sent/);
    verifier.issued(update);
    assert.equal(check(updated), undefined);
    verifier.acknowledged(update, [1]);
    assert.match(check(good) ?? "", /stale/);
    assert.equal(check(good, early), undefined);
    assert.equal(check(updated), undefined);
    good[at] = value;
  }
  const remove = operation({ kind: "delete", table: "items", key: read.key, timestamp: 0n });
  verifier.issued(remove);
  assert.equal(verifier.checkMissing(read, verifier.floor(read)), undefined);
  assert.equal(check(good), undefined);
  verifier.acknowledged(remove, [1]);
  assert.match(check(good) ?? "", /deleted/);
});

test("what cannot be driven is refused by name", () => {
  const refused = (change: Partial<WorkloadSpec>, message: RegExp) =>
    assert.throws(() => createWorkload({ ...spec, ...change }), { code: "INVALID_ARGUMENT", message });
  refused({ operations: [{ name: "CALL", weight: 1, distribution: "uniform" }] }, /the operation CALL/);
  const double = { ...tables[1], columns: [number("token", "double"), text("data", 300)] };
  refused({ tables: [double] }, /key has a double/);
  refused({ tables: [{ ...tables[1], columns: [text("token", 3), text("data", 300)] }] }, /shorter than 6 letters/);
  refused({ scale: 0 }, /1 to \d+ rows/);
});
