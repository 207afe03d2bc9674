import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compareBytes } from "../../../../../../kit/compare.ts";
import type { BlackboardView, CompactionProposal, Proposal } from "./agent.ts";
import { compactionAgent } from "./compaction-agent.ts";
import { problemOf } from "./compaction-proposal.ts";
import type { FileMeta } from "./file-meta.ts";
import { flushAgent } from "./flush-agent.ts";
import { levelScore } from "./level-shape.ts";
import { defaultTuning, type Tuning } from "./options.ts";

const tuning: Tuning = { ...defaultTuning, l0CompactionTrigger: 2, levelBaseBytes: 300, levelMultiplier: 2 };
let numbers = 1;

function file(from: number, to: number, sizeBytes = 100): FileMeta {
  const bounds = { smallest: Uint8Array.of(from), largest: Uint8Array.of(to) };
  return { number: numbers++, sizeBytes, entryCount: 1, deleteCount: 0, indexMin: 0, indexMax: 0, ...bounds };
}

function view(levels: readonly (readonly FileMeta[])[], rest: Partial<BlackboardView> = {}): BlackboardView {
  const all = Array.from({ length: 7 }, (_, level) => levels[level] ?? []);
  return { levels: all, immutables: [], flushRunning: false, compactions: [], compactionsMax: 1, tuning, ...rest };
}

function compactionOf(proposal: Proposal | undefined): CompactionProposal {
  assert.ok(proposal?.kind === "compaction");
  return proposal;
}

test("the flush agent flushes one memtable at a time", () => {
  const immutables = [{ sizeBytes: 1, versionCount: 1, lastIndex: 1 }];
  assert.equal(flushAgent.step(view([])), undefined);
  assert.deepEqual(flushAgent.step(view([], { immutables })), { kind: "flush" });
  assert.equal(flushAgent.step(view([], { immutables, flushRunning: true })), undefined);
});

test("nothing is due below the triggers, or while a compaction runs", () => {
  assert.equal(compactionAgent.step(view([[file(0, 9)], [file(0, 9, 299)]])), undefined);
  const due = view([[file(0, 9), file(0, 9)]]);
  const compactions = [compactionOf(compactionAgent.step(due))];
  assert.equal(compactionAgent.step({ ...due, compactions }), undefined);
  assert.equal(compactionAgent.step({ ...due, compactionsMax: 0 }), undefined);
});

test("level 0 goes as a whole, newest first, with what overlaps below; the rest of level 1 stays", () => {
  const [newer, older, left, right] = [file(5, 9), file(3, 7), file(0, 4), file(20, 30)];
  const proposal = compactionAgent.step(view([[newer, older], [left, right], [file(100, 200)]]));
  assert.ok(proposal?.kind === "compaction");
  assert.deepEqual(
    proposal.inputs.map((run) => [run.level, run.files]),
    [
      [0, [newer]],
      [0, [older]],
      [1, [left]],
    ],
  );
  assert.equal(proposal.outputLevel, 1);
  assert.equal(proposal.move, false);
  assert.equal(proposal.bottom, true, "no deeper level holds a key of the range");
});

test("tombstones are not at the bottom while a deeper level overlaps", () => {
  const proposal = compactionAgent.step(view([[file(5, 9), file(3, 7)], [], [file(8, 8)]]));
  assert.ok(proposal?.kind === "compaction");
  assert.equal(proposal.bottom, false);
});

test("a file that ends before a bound does not overlap one that begins there: what agents propose is accepted", () => {
  const upTo8 = { ...file(2, 8), largestIsExclusive: true };
  const level1 = [file(8, 9, 400)];
  for (const levels of [[[], level1, [], [upTo8]], [[], level1, [upTo8]], [[file(8, 8), file(8, 8)], [upTo8], [upTo8]]]) {
    const seen = view(levels);
    const proposal = compactionOf(compactionAgent.step(seen));
    assert.equal(problemOf(seen, proposal), undefined);
    assert.equal(proposal.bottom, true);
  }
});

test("files that overlap nothing are moved", () => {
  const proposal = compactionAgent.step(view([[file(5, 9), file(1, 4)], [file(20, 30)]]));
  assert.ok(proposal?.kind === "compaction");
  assert.equal(proposal.move, true);
});

test("of a level that is too large the file with the least below it goes", () => {
  const [dear, cheap] = [file(0, 50, 200), file(60, 90, 200)];
  const proposal = compactionAgent.step(view([[], [dear, cheap], [file(0, 20), file(30, 50), file(70, 80)]]));
  assert.ok(proposal?.kind === "compaction");
  assert.deepEqual(proposal.inputs[0].files, [cheap]);
});

const filesArbitrary = fc
  .uniqueArray(fc.nat(250), { minLength: 2, maxLength: 20 })
  .map((bounds) => bounds.sort((a, b) => a - b))
  .map((bounds) => bounds.filter((_, i) => i % 2 === 1).map((to, i) => file(bounds[2 * i], to)));

test("any proposal leaves levels that do not overlap, and takes all versions of its keys in order", () => {
  fc.assert(
    fc.property(fc.array(filesArbitrary, { maxLength: 5 }), (levels) => {
      const before = view(levels);
      const proposal = compactionAgent.step(before);
      const due = before.levels.some((_, level) => levelScore(before.levels, level, tuning) >= 1);
      assert.equal(proposal !== undefined, due);
      if (proposal?.kind !== "compaction") return;
      const taken = new Set(proposal.inputs.flatMap((run) => run.files));
      const stay = before.levels[proposal.outputLevel].filter((one) => !taken.has(one));
      const keys = [...taken].flatMap((one) => [one.smallest, one.largest]).sort(compareBytes);
      for (const one of stay) {
        const apart =
          compareBytes(one.largest, keys[0]) < 0 || compareBytes(one.smallest, keys[keys.length - 1]) > 0;
        assert.ok(apart, "a file that stays would overlap the outputs");
      }
      const inputLevels = proposal.inputs.map((run) => run.level);
      assert.deepEqual(
        inputLevels,
        [...inputLevels].sort((a, b) => a - b),
      );
    }),
    { numRuns: 300 },
  );
});
