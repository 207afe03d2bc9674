/**
 * The limit of memory and the log: what was acknowledged is there after any kill, what was refused never appears,
 * whatever snapshots were open when that was decided and whatever the limit is at the restart.
 */
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createNodeEnv } from "../../../../kit/env/node-env.ts";
import { errorCodeOf } from "../../../../kit/errors.ts";
import type { CommandStep } from "../../../concurrency/transaction/command.ts";
import type { Snapshot } from "../../engine.ts";
import { type LimitedNode, openLimitedNode } from "./limited-node.fixture.ts";

const env = createNodeEnv({ logLevel: "error" });
const root = mkdtempSync(join(tmpdir(), "lathe-limit-replay-"));
after(async () => {
  await env.threads.close();
  rmSync(root, { recursive: true });
});

const low = 1 << 19;
const high = 1 << 20;
const rowOf = (bytes: number, fill = 7) => new Uint8Array(bytes).fill(fill);
const openNode = (name: string, bytesMax: number) => openLimitedNode(env, join(root, name), bytesMax);

/** Copies a node's directory as a kill of the process would leave it. */
function killed(name: string, copy: string): void {
  cpSync(join(root, name), join(root, copy), { recursive: true, filter: (path) => !path.endsWith("LOCK") });
}

function sizesOf(node: LimitedNode): string {
  return [...node.contents()].map(([id, value]) => `${id}:${value.length}`).join(" ");
}

test("what was acknowledged is there after restarts with lower limits, which then hold", async () => {
  const before = await openNode("lower", high);
  for (let id = 0; id < 16; id++) await before.put([id], rowOf(40_000));
  const sizes = sizesOf(before);
  killed("lower", "lower-killed");
  await before.close();
  for (const limit of [low, low / 2, 1 << 16, high]) {
    const again = await openNode("lower-killed", limit);
    assert.equal(sizesOf(again), sizes);
    if (limit < high) await assert.rejects(again.put([100], rowOf(10)), { code: "LIMIT_EXCEEDED", message: /bytes_max/ });
    else await again.put([100], rowOf(10));
    await again.close();
  }
});

test("what was refused does not come back at a restart with a higher limit, and what came after it stays", async () => {
  const before = await openNode("higher", low);
  for (let id = 0; id < 13; id++) await before.put([id], rowOf(40_000));
  await assert.rejects(before.put([50], rowOf(59_999)), { code: "LIMIT_EXCEEDED" });
  await before.put([50], rowOf(100));
  killed("higher", "higher-killed");
  await before.close();
  const again = await openNode("higher-killed", high);
  assert.equal(again.contents().get(50)?.length, 100, "the row that was acknowledged, not the one that was refused");
  for (const id of [51, 52]) await again.put([id], rowOf(59_999));
  killed("higher-killed", "higher-again");
  await again.close();
  const last = await openNode("higher-again", low);
  assert.deepEqual([50, 51, 52].map((id) => last.contents().get(id)?.length), [100, 59_999, 59_999]);
  await last.close();
});

test("logs from before admission: what was refused when it was applied is refused again, and once for all", async () => {
  const old = await openLimitedNode(env, join(root, "old"), low, true);
  for (let id = 0; id < 13; id++) await old.put([id], rowOf(40_000));
  await assert.rejects(old.put([50], rowOf(50_000)), { code: "LIMIT_EXCEEDED" });
  const target = { tableId: old.table.id, keyPrefix: [0n], conditions: [] };
  await old.run({ kind: "delete", target });
  // There is room for it now, and none for the last one.
  await assert.rejects(old.put([51], rowOf(59_999)), { code: "LIMIT_EXCEEDED" });
  const sizes = sizesOf(old);
  killed("old", "old-killed");
  await old.close();
  for (const limit of [high, high, low]) {
    const again = await openNode("old-killed", limit);
    assert.equal(sizesOf(again), sizes);
    await again.close();
  }
});

function drawing(seed: number): (below: number) => number {
  let state = Math.imul(seed, 0x9e3779b1) | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** What is asked of a node, and what it does to the rows where it is acknowledged. */
interface Change {
  readonly step: CommandStep;
  apply(rows: Map<number, string>): void;
}

function drawChange(draw: (below: number) => number, tableId: number): Change {
  const from = draw(200);
  const kind = draw(10);
  if (kind === 0) {
    const bounds = [{ comparison: ">=", values: [BigInt(from)] }, { comparison: "<", values: [BigInt(from + 60)] }] as const;
    return {
      step: { kind: "delete", target: { tableId, keyPrefix: [], conditions: [], bounds } },
      apply: (rows) => {
        for (const id of rows.keys()) if (id >= from && id < from + 60) rows.delete(id);
      },
    };
  }
  const fill = draw(256);
  const value = rowOf([10, 900, 2000, 3500, 3500, 20_000][draw(6)], fill);
  if (kind === 1) {
    // Grows as many rows as there are: nothing in the command says how much it puts.
    return {
      step: {
        kind: "update",
        target: { tableId, keyPrefix: [], conditions: [], bounds: [{ comparison: ">=", values: [BigInt(from)] }] },
        set: [{ ordinal: 1, value }],
      },
      apply: (rows) => {
        for (const id of rows.keys()) if (id >= from) rows.set(id, textOf(value));
      },
    };
  }
  const ids = Array.from({ length: value.length > 4000 ? 2 : 1 + draw(60) }, (_, at) => from + at);
  const rows = ids.map((id) => [BigInt(id), value]);
  return {
    step: { kind: "insert", tableId, rows, unless: [], onDuplicate: "replace" },
    apply: (rows) => ids.forEach((id) => rows.set(id, textOf(value))),
  };
}

const textOf = (value: Uint8Array) => `${value.length} of ${value[0]}`;

function assertRows(node: LimitedNode, rows: ReadonlyMap<number, string>, when: string): void {
  const found = [...node.contents()].map(([id, value]) => [id, textOf(value)] as const);
  const wanted = [...rows].sort(([one], [other]) => one - other);
  assert.deepEqual(found, wanted, when);
}

/** `LATHE_TEST_RUNS` sets how many. */
const runs = Number(process.env.LATHE_TEST_RUNS ?? 2);
test("under any limit, with any snapshots held, at any restart: the acknowledged and nothing else", async () => {
  let refused = 0;
  let refusedBySnapshots = 0;
  for (let run = 0; run < runs; run++) {
    const seed = Number(process.env.LATHE_TEST_SEED ?? 1) * 1000 + run;
    const draw = drawing(seed);
    const limits = [1 << 16, 1 << 18, 1 << 20];
    const limit = () => limits[draw(limits.length)];
    const rows = new Map<number, string>();
    let name = `drawn-${seed}-0`;
    let node = await openNode(name, high);
    let snapshots: Snapshot[] = [];
    for (let step = 1; step <= 100; step++) {
      const when = `seed ${seed}, step ${step}`;
      if (draw(4) === 0 && snapshots.length < 3) snapshots.push(node.engine.snapshot());
      if (draw(25) === 0) snapshots.pop()?.release();
      // Some together, so that one is decided about while others are in the log and not applied.
      const changes = Array.from({ length: 1 + draw(8) }, () => drawChange(draw, node.table.id));
      const outcomes = await Promise.allSettled(changes.map((change) => node.run(change.step)));
      for (const [at, outcome] of outcomes.entries()) {
        if (outcome.status === "fulfilled") changes[at].apply(rows);
        else {
          assert.equal(errorCodeOf(outcome.reason), "LIMIT_EXCEEDED", `${when}: ${outcome.reason}`);
          refused++;
          if (/snapshots/.test((outcome.reason as Error).message)) refusedBySnapshots++;
        }
      }
      assertRows(node, rows, when);
      if (draw(30) > 0) continue;
      const before = name;
      name = `drawn-${seed}-${step}`;
      killed(before, name);
      await node.close();
      snapshots = [];
      node = await openNode(name, limit());
      assertRows(node, rows, `${when}: restarted`);
    }
    await node.close();
  }
  assert.ok(refused > 10 && refusedBySnapshots > 0, `${refused} refused, ${refusedBySnapshots} because of snapshots`);
});
