import assert from "node:assert/strict";
import { test } from "node:test";
import { RowView } from "../row-view.ts";
import { fillValue, stateOf, valueOf } from "../row-value.ts";
import type { Operation, ReadStep } from "../workload.ts";
import { loadTimestampOf, shardCount } from "./tao-edges.ts";
import { TaoVerifier } from "./tao-verifier.ts";
import { taoLoadRows, TaoWorkload } from "./tao-workload.ts";

const workload = new TaoWorkload("o", 5000, 7);

function loaded(of: TaoWorkload) {
  const objects = new Map<bigint, readonly unknown[]>();
  const edges = new Map<string, readonly unknown[]>();
  const sizes: Record<string, number[]> = { objects: [], edges: [] };
  for (const { table, rows } of of.load(taoLoadRows)) {
    sizes[table].push(rows.length);
    for (const row of rows) {
      if (table === "objects") objects.set(row[0] as bigint, row);
      else edges.set(row.slice(0, 3).join(), row);
    }
  }
  return { objects, edges, sizes };
}

const content = loaded(workload);

test("n edges load as n edges and 2n objects, in TAOBench's batches of 257 and 258", () => {
  assert.equal(content.edges.size, 5000);
  assert.equal(content.objects.size, 10_000);
  assert.equal(content.sizes.edges[0], 257);
  assert.equal(content.sizes.objects[0], 258);
});

test("homes are uniform over 50 shards; keys are positive; an object carries its edge's timestamp", () => {
  const perShard = Array.from({ length: shardCount }, () => 0);
  for (const row of content.edges.values()) {
    const [id1, id2, , timestamp] = row as bigint[];
    assert.ok(id1 > 0n && id2 > 0n);
    perShard[Number(id1 >> 57n)]++;
    assert.equal(timestamp, loadTimestampOf(id1));
    for (const id of [id1, id2]) {
      const object = content.objects.get(id) as readonly [bigint, bigint, string];
      assert.equal(object[1], timestamp);
      assert.equal(object[2], valueOf(id, timestamp, 150));
      assert.match(object[2], /^[a-z]{150}$/);
    }
  }
  assert.ok(Math.min(...perShard) > 50 && Math.max(...perShard) < 160, perShard.join());
});

function operations(count: number, seed = 1, client = 0, clients = 8): Operation[] {
  const stream = workload.client(seed, client, clients);
  return Array.from({ length: count }, () => stream.next());
}

test("the same seeds give the same operations, others give others", () => {
  assert.deepEqual(operations(500), operations(500));
  assert.notDeepEqual(operations(500), operations(500, 2));
  assert.notDeepEqual(operations(500), operations(500, 1, 1));
  assert.deepEqual(loaded(new TaoWorkload("o", 5000, 7)), content);
  assert.notDeepEqual(loaded(new TaoWorkload("o", 5000, 8)), content);
});

test("the mix, the skew and the sizes of transactions are Workload O's", () => {
  const sample = operations(100_000);
  const share = (name: string) => sample.filter((one) => one.name === name).length / sample.length;
  assert.ok(Math.abs(share("READ") - 0.9697) < 0.003);
  assert.ok(Math.abs(share("READTRANSACTION") - 0.02798) < 0.003);
  const statements = sample.reduce((sum, one) => sum + one.steps.length, 0);
  assert.ok(Math.abs(statements / sample.length - 1.509) < 0.06, `${statements / sample.length} statements per operation`);
  const reads = sample.filter((one) => one.name === "READ").map((one) => one.steps[0] as ReadStep);
  const shardZero = reads.filter((step) => (step.key[0] as bigint) >> 57n === 0n).length / reads.length;
  assert.ok(Math.abs(shardZero - 0.578) < 0.01, `shard 0 got ${shardZero}`);
});

test("reads, updates and deletes hit loaded rows; inserts never do, nor one another across clients", () => {
  const fresh = new Set<bigint>();
  const transactional = new TaoWorkload("a", 5000, 7);
  const content = loaded(transactional);
  for (let client = 0; client < 4; client++) {
    const stream = transactional.client(3, client, 4);
    for (let count = 0; count < 5000; count++) {
      for (const step of stream.next().steps) {
        if (step.kind === "insert" || step.kind === "insertEdge") {
          const id = step.row[0] as bigint;
          assert.ok(!fresh.has(id) && !content.objects.has(id));
          fresh.add(id);
        } else if (step.kind === "read" || step.kind === "update" || step.kind === "delete") {
          const isObject = step.table === "objects";
          const there = isObject ? content.objects.has(step.key[0] as bigint) : content.edges.has(step.key.join());
          assert.ok(there, `${step.table} ${step.key.join()}`);
        }
      }
    }
  }
  assert.ok(fresh.size > 500);
});

/** A row (timestamp, value) as a client would show it. */
function rowOf(timestamp: bigint, value: string): RowView {
  const row = new RowView();
  row.bytes = Buffer.from(`${timestamp}${value}`, "latin1");
  row.columns = 2;
  const digits = String(timestamp).length;
  assert.ok(row.parseInteger(0, 0, digits));
  row.isInteger[0] = 1;
  row.start[1] = digits;
  row.length[1] = value.length;
  return row;
}

test("the verifier accepts what was written and finds every planted lie", () => {
  const verifier = new TaoVerifier();
  const [id] = content.objects.keys();
  const [, otherRow] = [...content.objects.values()];
  const step: ReadStep = { kind: "read", table: "objects", key: [id] };
  const first = loadTimestampOf(id);
  const good = rowOf(first, valueOf(id, first, 150));
  assert.equal(verifier.checkRow(step, good, verifier.floor(step)), undefined);
  assert.match(verifier.checkMissing(step, verifier.floor(step)) ?? "", /missing/);
  const wrongRow = rowOf(otherRow[1] as bigint, otherRow[2] as string);
  assert.match(verifier.checkRow(step, wrongRow, verifier.floor(step)) ?? "", /never written/);
  const flipped = rowOf(first, valueOf(id, first, 150));
  flipped.bytes[100] ^= 1;
  assert.match(verifier.checkRow(step, flipped, verifier.floor(step)) ?? "", /never written/);

  const before = verifier.floor(step);
  const update = (timestamp: bigint): Operation => ({
    name: "UPDATE",
    transaction: false,
    steps: [{ kind: "update", table: "objects", key: [id], timestamp, value: valueOf(id, timestamp, 150) }],
  });
  const second = first + 10n ** 12n;
  verifier.issued(update(second));
  verifier.acknowledged(update(second), [1]);
  assert.match(verifier.checkRow(step, good, verifier.floor(step)) ?? "", /stale/);
  // A read sent before the acknowledgement may see either.
  assert.equal(verifier.checkRow(step, good, before), undefined);
  const future = rowOf(second + 1n, valueOf(id, second + 1n, 150));
  assert.match(verifier.checkRow(step, future, verifier.floor(step)) ?? "", /newer than any/);
  assert.equal(verifier.checkRow(step, rowOf(second, valueOf(id, second, 150)), verifier.floor(step)), undefined);

  const deletion = { kind: "delete", table: "objects", key: [id], timestamp: second + 5n } as const;
  const remove: Operation = { name: "DELETE", transaction: false, steps: [deletion] };
  verifier.issued(remove);
  assert.equal(verifier.checkMissing(step, verifier.floor(step)), undefined);
  verifier.acknowledged(remove, [1]);
  assert.match(verifier.checkRow(step, good, verifier.floor(step)) ?? "", /delete was acknowledged/);
});

test("values look like random letters", () => {
  const counts = Array.from({ length: 26 }, () => 0);
  const bytes = new Uint8Array(150);
  for (let key = 0n; key < 400n; key++) {
    fillValue(stateOf(key, 5n), bytes, 0, 150);
    for (const byte of bytes) counts[byte - 97]++;
  }
  const expected = (400 * 150) / 26;
  assert.ok(counts.every((count) => Math.abs(count - expected) < expected * 0.15), counts.join());
});
