/** Steps of a transaction that share rows and values: what is drawn, what the store would hold, what is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { OperationSpec, TableSpec, TransactionStepSpec, WorkloadSpec } from "../../contract/contract.ts";
import { undrivenOwn } from "../../contract/own-operations.ts";
import { textRow } from "../row-view.fixture.ts";
import type { CellValue, OperationStep } from "../workload.ts";
import type { OwnTable } from "./own-table.ts";
import { OwnWorkload } from "./own-workload.ts";

const number = (name: string, type: "int" | "bigint" = "bigint") => ({ name, type, nullable: false }) as const;
const text = (name: string, lengthMax: number) => ({ name, type: "varchar", lengthMax, nullable: false }) as const;
const tables: readonly TableSpec[] = [
  { name: "customers", primaryKey: ["id"], rows: 300, columns: [number("id"), text("name", 30)] },
  {
    name: "orders", primaryKey: ["id"], rows: 900, columns: [number("id"), number("customer_id"), text("note", 40)],
    indexes: [{ name: "by_customer", columns: ["customer_id"] }],
  },
  {
    name: "lines", primaryKey: ["order_id", "number"], rows: 4500,
    columns: [number("order_id"), number("number", "int"), text("product", 40)],
  },
];
const place: readonly TransactionStepSpec[] = [
  { operation: "READ", table: "customers", skew: 0.99 },
  { operation: "INSERT", table: "orders", shares: [{ column: "customer_id", step: 1, of: "id" }] },
  { operation: "INSERT", table: "lines", times: 3, shares: [{ column: "order_id", step: 2, of: "id" }] },
  { operation: "UPDATE", table: "customers", shares: [{ column: "id", step: 1 }] },
];
const show: readonly TransactionStepSpec[] = [
  { operation: "READ", table: "orders" },
  { operation: "SCAN", table: "lines", key: ["order_id"], rows: 5, shares: [{ column: "order_id", step: 1, of: "id" }] },
  { operation: "UPDATE", table: "lines", times: 2, shares: [{ column: "order_id", step: 1, of: "id" }] },
];
const drop: readonly TransactionStepSpec[] = [
  { operation: "READ", table: "lines" },
  { operation: "DELETE", table: "lines", shares: [{ column: "order_id", step: 1 }, { column: "number", step: 1 }] },
];
const transaction = (steps: readonly TransactionStepSpec[]): OperationSpec =>
  ({ name: "WRITETRANSACTION", weight: 1, distribution: "uniform", steps });
const operations = [place, show, drop].map(transaction);
const spec: WorkloadSpec = {
  benchmark: "ycsb", profile: "a", scale: 4500, clients: 2, loop: "closed", operations, tables,
};
const seed = Number(process.env.LATHE_TEST_SEED ?? 1);

const cellOf = (row: readonly CellValue[], table: OwnTable, column: string) => row[table.columnNumber(column)];

test("what was read is updated, lines are of the order that was inserted, and what is looked for is there", () => {
  const workload = new OwnWorkload(spec, tables);
  const [customers, orders, lines] = workload.tables;
  const store = new Map(workload.tables.map((table) =>
    [table.name, new Map(Array.from({ length: table.rows }, (_, at) => [String(table.key(at)), table.row(at)]))]));
  const clients = [0, 1].map((at) => workload.client(seed, at, 2));
  const verifier = workload.verifier();
  const gone = new Set<string>();
  const drawn = [0, 0, 0];
  for (let count = 0; count < 3000; count++) {
    const operation = clients[count % 2].next();
    const { steps } = operation;
    verifier.issued(operation);
    for (const step of steps) apply(step);
    verifier.acknowledged(operation, []);
    if (steps.length === 6) {
      drawn[0]++;
      const [read, order, ...rest] = steps;
      assert.ok(read.kind === "read" && order.kind === "insert");
      assert.deepEqual(cellOf(order.row, orders, "customer_id"), read.key[0]);
      for (const line of rest.slice(0, 3)) {
        assert.ok(line.kind === "insert");
        assert.deepEqual(cellOf(line.row, lines, "order_id"), cellOf(order.row, orders, "id"));
        assert.equal(check(line.row, lines), undefined);
      }
      const [update] = rest.slice(3);
      assert.ok(update.kind === "update" && update.table === customers.name);
      assert.deepEqual(update.key, read.key);
      assert.equal(check(order.row, orders), undefined);
      assert.match(check(order.row.with(1, 12345n), orders) ?? "", /a value in customer_id that was never written/);
    } else if (steps.length === 4) {
      drawn[1]++;
      const [read, scan, ...updates] = steps;
      assert.ok(read.kind === "read" && scan.kind === "scan");
      assert.deepEqual(scan.by?.values, read.key);
      const found = [...(store.get("lines")?.values() ?? [])].filter((row) => row[0] === read.key[0]);
      assert.ok(found.length > 0, `seed ${seed}: no lines of ${read.key[0]}`);
      for (const update of updates) assert.ok(update.kind === "update" && update.key[0] === read.key[0]);
    } else {
      drawn[2]++;
      const [read, removed] = steps;
      assert.ok(read.kind === "read" && removed.kind === "delete");
      assert.deepEqual(removed.key, read.key);
    }
  }
  assert.ok(drawn.every((count) => count > 800), String(drawn));

  function check(row: readonly CellValue[], table: OwnTable): string | undefined {
    const key = table.keyAt.map((at) => row[at]);
    const read = { kind: "read", table: table.name, key } as const;
    const cells = textRow(tables.find(({ name }) => name === table.name) as TableSpec, row);
    return verifier.checkRow(read, cells, verifier.floor(read));
  }

  /** A key is inserted once, what is read or changed is or was there, and nothing is deleted twice. */
  function apply(step: OperationStep): void {
    if (step.kind === "scan") return;
    const table = workload.tables.find(({ name }) => "table" in step && name === step.table) as OwnTable;
    const rows = store.get(table.name) as Map<string, CellValue[]>;
    if (step.kind === "insert") {
      const name = String(table.keyAt.map((at) => step.row[at]));
      assert.ok(!rows.has(name), `seed ${seed}: ${table.name} ${name} comes twice`);
      rows.set(name, [...step.row]);
    } else if (step.kind === "delete") {
      assert.ok(!gone.has(String(step.key)), `seed ${seed}: ${String(step.key)} was deleted before`);
      gone.add(String(step.key));
    } else if (step.kind === "read" || step.kind === "update") {
      assert.ok(rows.has(String(step.key)), `seed ${seed}: no ${table.name} ${String(step.key)}`);
    }
  }
});

test("what no driver can make steps share is refused by name", () => {
  const refused = (...steps: TransactionStepSpec[]) =>
    undrivenOwn({ ...spec, operations: [transaction(steps)] }, tables, true).join("; ");
  for (const steps of [place, show, drop]) assert.equal(refused(...steps), "");
  const order: TransactionStepSpec = { operation: "INSERT", table: "orders" };
  const id = { column: "id", step: 1 };
  assert.match(refused(order, { operation: "UPDATE", table: "customers", shares: [{ ...id, of: "customer_id" }] }),
    /step 2 \(UPDATE customers\), whose id is the customer_id of step 1, of which there is no row yet/);
  assert.match(refused(place[0], { ...order, shares: [id] }), /step 2 .*nothing else in the key can tell rows apart/);
  assert.match(refused(drop[0], { operation: "SCAN", table: "lines", key: ["order_id"], shares: [{ column: "order_id", step: 1, of: "number" }] }),
    /neither the first column of its key/);
  assert.match(refused(place[0], { ...order, shares: [{ column: "note", step: 1, of: "id" }] }), /of another type/);
  assert.equal(refused({ ...place[0] }, { ...order, shares: [{ column: "customer_id", step: 1, of: "id" }] },
    { operation: "READ", table: "orders", shares: [{ column: "id", step: 2 }] }), "");
});
