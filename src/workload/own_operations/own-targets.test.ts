/** Operations that say what they touch: the table, the columns by which rows are found, how many, and steps in order. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { OwnStatements } from "../../bench/clients/own-statements.ts";
import type { MySqlClient } from "../../bench/clients/mysql-client.ts";
import type { OperationSpec, TableSpec, WorkloadSpec } from "../../contract/contract.ts";
import { undrivenOwn } from "../../contract/own-operations.ts";
import { textRow } from "../row-view.fixture.ts";
import type { CellValue, OperationStep, ReadStep, ScanStep } from "../workload.ts";
import { OwnWorkload } from "./own-workload.ts";

const text = (name: string, lengthMax: number) => ({ name, type: "varchar", lengthMax, nullable: false }) as const;
const number = (name: string, type: "int" | "bigint" | "double") => ({ name, type, nullable: false }) as const;
const tables: readonly TableSpec[] = [
  {
    name: "orders", primaryKey: ["customer", "number"], rows: 900,
    columns: [number("customer", "bigint"), text("number", 2), text("email", 30), number("city", "int"),
      number("paid_at", "double"), text("note", 60)],
    indexes: [
      { name: "by_email", columns: ["email"] }, { name: "by_city", columns: ["city", "paid_at"] },
    ],
  },
  { name: "logs", primaryKey: ["id"], rows: 300, columns: [number("id", "bigint"), text("line", 40)] },
];
const uniform = { weight: 1, distribution: "uniform" } as const;
const operations: readonly OperationSpec[] = [
  { name: "READ", ...uniform, table: "logs" },
  { name: "READ", ...uniform, table: "orders", key: ["email"] },
  { name: "SCAN", ...uniform, table: "orders", key: ["customer"], rows: 5 },
  { name: "SCAN", ...uniform, table: "orders", key: ["city"], range: "paid_at", rows: 7 },
  { name: "SCAN", ...uniform, table: "orders", key: ["city"], rows: 12 },
  { name: "INSERT", ...uniform, table: "logs", rows: 20 },
  {
    name: "WRITETRANSACTION", ...uniform, steps: [
      { operation: "READ", table: "orders" }, { operation: "INSERT", table: "logs", times: 3 },
      { operation: "UPDATE", table: "orders", skew: 1.1 },
    ],
  },
];
const spec: WorkloadSpec = {
  benchmark: "ycsb", profile: "a", scale: 900, clients: 2, loop: "closed", operations, tables,
};

function draw(count: number) {
  const workload = new OwnWorkload(spec, tables);
  const stream = workload.client(11, 0, 2);
  return { workload, drawn: Array.from({ length: count }, () => stream.next()) };
}

function sqlOf(step: OperationStep): string {
  let sql = "";
  const client = { beginQuery: () => undefined, request: { latin1: (piece: string) => (sql += piece) } };
  new OwnStatements(new OwnWorkload(spec, tables).tables).writeStep(client as unknown as MySqlClient, step);
  return sql;
}

test("each operation touches its own table, by its columns, with its rows", () => {
  const { drawn } = draw(700);
  const scans = drawn.flatMap(({ steps }) => steps.filter((step): step is ScanStep => step.kind === "scan"));
  const shown = (step: OperationStep) => sqlOf(step).replace(/SELECT .* FROM/, "SELECT FROM").replace(/'\w+'|\d+/g, "?");
  assert.deepEqual(new Set(scans.map(shown)), new Set([
    "SELECT FROM `orders` WHERE `customer` = ? LIMIT ?",
    "SELECT FROM `orders` WHERE `city` = ? AND `paid_at` >= ? ORDER BY `paid_at` LIMIT ?",
    "SELECT FROM `orders` WHERE `city` = ? LIMIT ?",
  ]));
  assert.deepEqual(new Set(scans.map(({ limit }) => limit)), new Set([5, 7, 12]));
  const reads = drawn.filter(({ name }) => name === "READ").map(({ steps: [step] }) => shown(step));
  assert.deepEqual(new Set(reads), new Set([
    "SELECT FROM `logs` WHERE `id` = ?", "SELECT FROM `orders` WHERE `email` = ?",
  ]));
  const inserts = drawn.filter(({ name }) => name === "INSERT");
  assert.ok(inserts.every(({ steps: [step] }) => step.kind === "insertRows" && step.rows.length === 20));
  const transactions = drawn.filter(({ transaction }) => transaction);
  for (const { steps } of transactions) {
    assert.deepEqual(steps.map((step) => `${step.kind} ${"table" in step ? step.table : ""}`),
      ["read orders", "insert logs", "insert logs", "insert logs", "update orders"]);
  }
  assert.ok(transactions.length > 50);
});

test("scans find as many rows as they ask for, reads exactly one, and updates leave what they are found by", () => {
  const { workload, drawn } = draw(700);
  const [orders] = workload.tables;
  const rows = Array.from({ length: orders.rows }, (_, at) => orders.row(at));
  const found = ({ by, range, from }: ScanStep | (ReadStep & { range?: string; from?: CellValue[] })) => rows.filter((row) =>
    (by?.columns ?? []).every((column, at) => row[orders.columnNumber(column)] === by?.values[at]) &&
    (range === undefined || Number(row[orders.columnNumber(range)]) >= Number(from?.[0])));
  for (const { steps: [step] } of drawn) {
    if (step.kind === "read" && step.by !== undefined) assert.equal(found(step).length, 1);
    if (step.kind !== "scan") continue;
    const { length } = found(step);
    if (step.range === undefined) assert.ok(length === step.limit || length === orders.rows % step.limit, `${length}`);
    else assert.ok(length >= 1);
  }
  assert.deepEqual(orders.updatable.map((at) => orders.columns[at].name), ["note"]);
  rows.forEach((row, at) => assert.equal(orders.numberOf(orders.keyAt.map((column) => String(row[column]))), at));
});

test("rows that were not asked for, lies in columns of keys, and own writes that are not seen are found", () => {
  const workload = new OwnWorkload(spec, tables);
  const [orders, logs] = workload.tables;
  const verifier = workload.verifier();
  const at = orders.columnNumber("city");
  const by = { columns: ["city"], values: [orders.cell(30, at)] };
  const scan: ScanStep = { kind: "scan", table: "orders", from: [], limit: 12, by };
  const check = (cells: readonly CellValue[]) => verifier.checkRow(scan, textRow(tables[0], cells), verifier.floor(scan));
  assert.equal(check(orders.row(30)), undefined);
  assert.match(check(orders.row(30 + 12)) ?? "", /its city is not what was asked for/);
  assert.match(check(orders.row(30).with(2, orders.row(31)[2])) ?? "", /value in email that was never written/);
  const ranged: ScanStep = { kind: "scan", table: "orders", from: [1e9], limit: 7, range: "paid_at" };
  const low = Array.from({ length: 50 }, (_, one) => orders.row(one)).find((row) => Number(row[4]) < 1e9) as CellValue[];
  assert.match(verifier.checkRow(ranged, textRow(tables[0], low), verifier.floor(ranged)) ?? "", /its paid_at is not/);

  const key = orders.key(4);
  const value = orders.value(orders.hashOf(key), 5, 9);
  const read = { kind: "read", table: "orders", key } as const;
  const row = logs.row(999);
  const inserted = { kind: "read", table: "logs", key: logs.key(999) } as const;
  const removed = { kind: "read", table: "logs", key: logs.key(5) } as const;
  const steps: OperationStep[] = [
    { kind: "update", table: "orders", key, timestamp: 9n, value, column: "note" }, read,
    { kind: "insert", table: "logs", row }, inserted,
    { kind: "delete", table: "logs", key: removed.key, timestamp: 0n }, removed,
  ];
  const operation = { name: "WRITETRANSACTION", transaction: true, steps };
  const see = (cells: readonly CellValue[]) =>
    verifier.checkRow(read, textRow(tables[0], cells), verifier.floor(read, operation));
  assert.equal(see(orders.row(4).with(5, value)), undefined);
  assert.match(see(orders.row(4)) ?? "", /version 0 in note, where its transaction wrote 9/);
  const missing = (step: ReadStep) => verifier.checkMissing(step, verifier.floor(step, operation));
  assert.match(missing(inserted) ?? "", /its transaction has inserted it/);
  assert.equal(missing(removed), undefined);
  const seen = verifier.checkRow(removed, textRow(tables[1], logs.row(5)), verifier.floor(removed, operation));
  assert.match(seen ?? "", /its transaction has deleted it/);
});

test("what cannot be found by a key or an index is refused by name", () => {
  const refused = (...some: Partial<OperationSpec>[]) =>
    undrivenOwn({ ...spec, operations: some.map((one) => ({ ...operations[0], ...one })) }, tables, true);
  assert.deepEqual(refused(...operations), []);
  assert.match(refused({ table: "orders", key: ["note"] })[0], /READ of orders by note, which no key or index begins with/);
  assert.match(refused({ table: "orders", key: ["city"] })[0], /READ of orders by city, which no key/);
  assert.match(refused({ name: "SCAN", table: "orders", range: "paid_at" })[0], /SCAN of orders by paid_at, which no key/);
  const dull = { ...tables[1], columns: [number("id", "bigint"), text("line", 3)] };
  const update = [{ ...operations[0], name: "UPDATE" }];
  assert.match(undrivenOwn({ ...spec, operations: update }, [dull], true)[0], /updates of table logs, which is without/);
});
