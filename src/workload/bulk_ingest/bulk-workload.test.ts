import assert from "node:assert/strict";
import { test } from "node:test";
import { RowView } from "../row-view.ts";
import type { CellValue, Operation, PageStep, Verifier } from "../workload.ts";
import { BulkWorkload } from "./bulk-workload.ts";
import { entitlementId, externalId, grantPools, grantRow, numberOf } from "./grant-record.ts";

const records = 2500;

function viewOf(row: readonly string[]): RowView {
  const view = new RowView();
  view.bytes = Buffer.from(row.join(""), "latin1");
  view.columns = row.length;
  let start = 0;
  row.forEach((cell, column) => {
    view.start[column] = start;
    view.length[column] = cell.length;
    start += cell.length;
  });
  return view;
}

/** A sorted store; `page` may be given a defect. */
class ListStore {
  rows: string[][] = [];
  distort: (page: string[][], step: PageStep) => string[][] = (page) => page;

  insert(rows: readonly (readonly CellValue[])[]): void {
    this.rows.push(...(rows as string[][]).map((row) => [...row]));
    this.rows.sort(([a], [b]) => (a < b ? -1 : 1));
  }

  page(step: PageStep): string[][] {
    const found = this.rows.filter(([id, entitlement]) => entitlement === step.value && id > step.after);
    return this.distort(found.slice(0, step.limit), step);
  }
}

function judge(verifier: Verifier, step: PageStep, page: string[][]): string[] {
  const floor = verifier.floor(step);
  const wrong = page.map((row) => verifier.checkRow(step, viewOf(row), floor));
  return [...wrong, verifier.checkPageEnd?.(step, page.length, floor)].filter((each) => each !== undefined);
}

function complaints(distort?: ListStore["distort"], operations = 400): string[] {
  const workload = new BulkWorkload("grants", records, 1);
  const store = new ListStore();
  for (const { rows } of workload.load(700)) store.insert(rows);
  assert.equal(store.rows.length, records);
  if (distort !== undefined) store.distort = distort;
  const verifier = workload.verifier();
  const clients = [0, 1].map((number) => workload.client(7, number, 2));
  const found: string[] = [];
  for (let count = 0; count < operations; count++) {
    const operation: Operation = clients[count % 2].next();
    verifier.issued(operation);
    for (const step of operation.steps) {
      if (step.kind === "insertRows") store.insert(step.rows);
      if (step.kind === "page") found.push(...judge(verifier, step, store.page(step)));
    }
    verifier.acknowledged(operation, []);
  }
  return found;
}

test("a correct store satisfies the verifier", () => assert.deepEqual(complaints(), []));

test("lost, foreign, repeated, torn and unordered rows are found", () => {
  assert.match(complaints((page) => page.slice(1))[0], /leaves out/);
  assert.match(complaints((page) => page.filter((_, i) => i !== 1))[0], /leaves out|ends before/);
  assert.match(complaints((page) => page.slice(0, -1))[0], /ends before/);
  assert.match(complaints((page) => (page.length > 1 ? [page[0], page[0], ...page.slice(1)] : page))[0], /came again/);
  assert.match(complaints((page) => page.toReversed())[0], /leaves out|came again/);
  assert.match(complaints((page) => page.map((row) => [row[0], entitlementId(9), row[2], row[3]]))[0], /entitlement/);
  assert.match(complaints((page) => page.map((row) => [...row.slice(0, 3), row[3].replace(/^./, "!")]))[0], /payload/);
});

test("a record of an unacknowledged statement may be missing, an acknowledged one may not", () => {
  const workload = new BulkWorkload("grants", 100, 1);
  const verifier = workload.verifier();
  const operation = { name: "INGEST", transaction: false, steps: [
    { kind: "insertRows", table: "grants", rows: Array.from({ length: 100 }, (_, i) => grantRow(100 + i, grantPools(100))) },
  ] } as const;
  const step: PageStep = { kind: "page", table: "grants", column: "entitlement_id", value: entitlementId(3), after: externalId(93), limit: 10 };
  verifier.issued(operation);
  assert.deepEqual(judge(verifier, step, []), []);
  const early = verifier.floor(step);
  verifier.acknowledged(operation, []);
  assert.equal(verifier.checkPageEnd?.(step, 0, early), undefined);
  assert.match(judge(verifier, step, [])[0], /ends before record 103/);
});

test("records follow from their numbers", () => {
  assert.equal(numberOf(externalId(1234)), 1234);
  assert.equal(numberOf("grant-12"), -1);
  const row = grantRow(1_000_001, grantPools(1_000_000));
  assert.equal(row[1], "entitlement-00000001");
  assert.match(row[3], /^[a-z]{256}$/);
});

test("a run over a store that earlier runs inserted into goes on beyond their records", async () => {
  const there = [0, 57, 100, 399, 12_345_678_900];
  for (const last of there) {
    let asked = 0;
    const workload = await new BulkWorkload("grants", 100, 1).beyond(async (table, column, key) => {
      assert.deepEqual([table, column], ["grants", "external_id"]);
      asked++;
      return externalId(last) > key;
    });
    assert.ok(asked <= 40, `${asked} questions`);
    const firsts: number[] = [];
    for (const client of [0, 1]) {
      const stream = workload.client(7, client, 2);
      for (let i = 0; i < 20; i++) {
        const [step] = stream.next().steps;
        if (step.kind === "insertRows") firsts.push(...step.rows.map(([id]) => numberOf(id as string)));
      }
    }
    const first = 100 + Math.max(0, Math.ceil((last + 1 - 100) / 100)) * 100;
    assert.equal(Math.min(...firsts), first, `after ${last}`);
    assert.equal(new Set(firsts).size, firsts.length);
  }
});
