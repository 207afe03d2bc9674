import assert from "node:assert/strict";
import { test } from "node:test";
import { RowView } from "../row-view.ts";
import type { Operation, ReadStep } from "../workload.ts";
import { fieldValue, keyHashOfText } from "./ycsb-value.ts";
import { YcsbWorkload, ycsbKey, ycsbProfiles } from "./ycsb-workload.ts";

const records = 300;

/** A store as simple as can be, and correct unless told otherwise. */
class MapStore {
  readonly rows = new Map<string, string[]>();
  staleReads = false;

  apply(operation: Operation, observe: (step: ReadStep, row: string[] | undefined) => void): void {
    for (const step of operation.steps) {
      if (step.kind === "read") observe(step, this.rows.get(step.key[0] as string));
      if (step.kind === "insert") this.rows.set(step.row[0] as string, [...(step.row as string[])]);
      if (step.kind === "update" && !this.staleReads) {
        (this.rows.get(step.key[0] as string) as string[])[1 + Number(step.column?.slice(5))] = step.value as string;
      }
    }
  }
}

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

function complaints(profile: string, prepare: (store: MapStore) => void = () => undefined): string[] {
  const workload = new YcsbWorkload(profile, records, 1);
  const store = new MapStore();
  for (const { rows } of workload.load(64)) {
    for (const row of rows as string[][]) store.rows.set(row[0], [...row]);
  }
  assert.equal(store.rows.size, records);
  prepare(store);
  const verifier = workload.verifier();
  const clients = [0, 1, 2].map((number) => workload.client(5, number, 3));
  const found: string[] = [];
  for (let count = 0; count < 3000; count++) {
    const operation = clients[count % 3].next();
    verifier.issued(operation);
    store.apply(operation, (step, row) => {
      const floor = verifier.floor(step);
      const wrong = row === undefined ? verifier.checkMissing(step, floor) : verifier.checkRow(step, viewOf(row), floor);
      if (wrong !== undefined) found.push(wrong);
    });
    verifier.acknowledged(operation, []);
  }
  return found;
}

test("a correct store satisfies the verifier under every mix", () => {
  for (const profile of Object.keys(ycsbProfiles)) assert.deepEqual(complaints(profile), [], profile);
});

test("lost updates, lost rows and swapped fields are found", () => {
  assert.match(complaints("a", (store) => (store.staleReads = true))[0], /stale/);
  const lost = ycsbKey(0);
  const seen = complaints("c", (store) => {
    for (const key of store.rows.keys()) if (key !== lost) store.rows.delete(key);
  });
  assert.match(seen[0], /missing/);
  const swapped = complaints("c", (store) => {
    for (const row of store.rows.values()) [row[1], row[2]] = [row[2], row[1]];
  });
  assert.match(swapped[0], /never written/);
});

test("records are YCSB's: ten fields of 100 letters, known keys", () => {
  const [batch] = new YcsbWorkload("c", 3, 1).load(64);
  const keys = ["user6284781860667377211", "user8517097267634966620", "user1820151046732198393"];
  assert.deepEqual(batch.rows.map(([key]) => key), keys);
  for (const row of batch.rows) assert.ok(row.slice(1).every((cell) => /^[a-z]{100}$/.test(cell as string)));
  assert.notEqual(fieldValue(keyHashOfText("a"), 0, 1), fieldValue(keyHashOfText("a"), 0, 2));
});
