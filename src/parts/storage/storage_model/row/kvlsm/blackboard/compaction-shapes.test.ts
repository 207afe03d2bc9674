/**
 * Compaction agents on whole histories: a store of files that agents fill and compact, with as many compactions under
 * way at once as they like, must always be readable by age, and must come to rest.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compareBytes } from "../../../../../../kit/compare.ts";
import type { Agent, BlackboardView, CompactionProposal } from "./agent.ts";
import { compactionAgent } from "./compaction-agent.ts";
import { problemOf } from "./compaction-proposal.ts";
import type { FileMeta } from "./file-meta.ts";
import { levelShapeOf, overlapping, runBytesOf, totalBytes } from "./level-shape.ts";
import { defaultTuning, resolveTuning, type Tuning } from "./options.ts";
import { tieredCompactionAgent } from "./tiered-compaction-agent.ts";
import { levelsMax } from "./version-edit.ts";

const tuning: Tuning = {
  ...defaultTuning,
  l0CompactionTrigger: 3,
  levelBaseBytes: 60,
  levelMultiplier: 3,
  targetFileBytes: 30,
  memtableBytes: 12,
};

/** Keys are bytes; every entry is of size 1; the value of a key is the index of the flush that wrote it. */
interface StoreFile extends FileMeta {
  readonly entries: ReadonlyMap<number, number>;
}

/** A store whose compactions end when the test says so. */
class ModelStore {
  levels: readonly (readonly StoreFile[])[] = Array.from({ length: levelsMax }, () => []);
  compactions: readonly CompactionProposal[] = [];
  readonly truth = new Map<number, number>();
  written = 0;
  flushed = 0;
  #index = 0;
  #number = 0;
  readonly #tuning: Tuning;

  constructor(rules: Tuning) {
    this.#tuning = rules;
  }

  view(compactionsMax: number): BlackboardView {
    const { levels, compactions } = this;
    return { levels, immutables: [], flushRunning: false, compactions, compactionsMax, tuning: this.#tuning };
  }

  flush(keys: readonly number[]): void {
    const index = ++this.#index;
    for (const key of keys) this.truth.set(key, index);
    this.flushed += keys.length;
    const file = this.#file(new Map(keys.map((key) => [key, index])));
    this.#install(new Set(), 0, [file]);
  }

  /** Starts what the agent proposes; returns whether there was anything. */
  start(agent: Agent, compactionsMax: number): boolean {
    const view = this.view(compactionsMax);
    const proposal = agent.step(view);
    if (proposal === undefined) return false;
    assert.equal(problemOf(view, proposal), undefined);
    this.compactions = [...this.compactions, proposal as CompactionProposal];
    return true;
  }

  /** Ends one of the compactions under way. */
  end(at: number): void {
    const proposal = this.compactions[at];
    this.compactions = this.compactions.filter((one) => one !== proposal);
    const files = proposal.inputs.flatMap((run) => run.files) as StoreFile[];
    const taken = new Set(files.map((file) => file.number));
    if (proposal.move) return this.#install(taken, proposal.outputLevel, files);
    const merged = new Map<number, number>();
    // The runs come newest first, so what is there already is newer.
    for (const file of files) {
      for (const [key, index] of file.entries) {
        const other = merged.get(key);
        assert.ok(other === undefined || other >= index, "inputs come newest first");
        merged.set(key, Math.max(index, other ?? 0));
      }
    }
    this.written += merged.size;
    this.#install(taken, proposal.outputLevel, this.#split(merged, proposal.outputLevel === 0));
  }

  /** Reads as the engine does: level 0 newest first, then level by level. */
  get(key: number): number | undefined {
    for (const files of this.levels) {
      for (const file of files) {
        const index = file.entries.get(key);
        if (index !== undefined) return index;
      }
    }
    return undefined;
  }

  #split(merged: ReadonlyMap<number, number>, single: boolean): StoreFile[] {
    const sorted = [...merged].sort(([a], [b]) => a - b);
    const each = single ? sorted.length : this.#tuning.targetFileBytes;
    const files: StoreFile[] = [];
    for (let at = 0; at < sorted.length; at += each) files.push(this.#file(new Map(sorted.slice(at, at + each))));
    return files;
  }

  #file(entries: ReadonlyMap<number, number>): StoreFile {
    const keys = [...entries.keys()];
    const indexes = [...entries.values()];
    return {
      number: ++this.#number,
      sizeBytes: entries.size,
      entryCount: entries.size,
      deleteCount: 0,
      indexMin: Math.min(...indexes),
      indexMax: Math.max(...indexes),
      smallest: Uint8Array.of(Math.min(...keys)),
      largest: Uint8Array.of(Math.max(...keys)),
      entries,
    };
  }

  #install(taken: ReadonlySet<number>, level: number, files: readonly StoreFile[]): void {
    this.levels = this.levels.map((present, number) => {
      const rest = present.filter((file) => !taken.has(file.number));
      const all = number === level ? [...rest, ...files] : rest;
      if (number === 0) return all.sort((a, b) => b.indexMax - a.indexMax);
      all.sort((a, b) => compareBytes(a.smallest, b.smallest));
      for (let i = 1; i < all.length; i++) {
        assert.ok(compareBytes(all[i - 1].largest, all[i].smallest) < 0, `level ${number} overlaps itself`);
      }
      return all;
    });
  }
}

const stepArbitrary = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("flush" as const), from: fc.nat(255), count: fc.nat(40) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("start" as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("end" as const), which: fc.nat(9) }) },
);

function settle(store: ModelStore, agent: Agent): void {
  for (let rounds = 0; store.compactions.length > 0 || store.start(agent, 1); rounds++) {
    assert.ok(rounds < 1000, "the agent comes to rest");
    store.end(0);
  }
}

const contenders: readonly { name: string; agent: Agent; rules: Partial<Tuning> }[] = [
  { name: "leveled, static", agent: compactionAgent, rules: {} },
  { name: "leveled, dynamic", agent: compactionAgent, rules: { levelSizing: "dynamic" } },
  { name: "tiered", agent: tieredCompactionAgent, rules: { compactionStyle: "tiered" } },
];

for (const { name, agent, rules } of contenders) {
  test(`${name}: whatever runs at once and ends in whichever order, the newest version is read, and work ends`, () => {
    let most = 0;
    fc.assert(
      fc.property(fc.array(stepArbitrary, { minLength: 20, maxLength: 150 }), (steps) => {
        const store = new ModelStore({ ...tuning, ...rules });
        for (const step of steps) {
          if (step.kind === "flush") {
            store.flush(Array.from({ length: step.count + 1 }, (_, i) => (step.from + i * 7) % 256));
          } else if (step.kind === "start") store.start(agent, 4);
          else if (store.compactions.length > 0) store.end(step.which % store.compactions.length);
          most = Math.max(most, store.compactions.length);
          for (const [key, index] of store.truth) assert.equal(store.get(key), index);
        }
        settle(store, agent);
        for (const [key, index] of store.truth) assert.equal(store.get(key), index);
      }),
      { numRuns: 150 },
    );
    assert.ok(most > 1, "some compactions did run side by side");
  });
}

test("at rest level 0 has fewer files than stall writers, whichever triggers are accepted and however files grow", () => {
  const triggers = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.nat(3), fc.nat(3));
  const sizes = fc.array(fc.nat(120), { minLength: 12, maxLength: 25 });
  fc.assert(
    fc.property(triggers, sizes, fc.constantFrom(...contenders), ([l0CompactionTrigger, more, yetMore], counts, one) => {
      const l0SlowdownTrigger = l0CompactionTrigger + more;
      const l0StallTrigger = l0SlowdownTrigger + yetMore;
      const limits = { l0CompactionTrigger, l0SlowdownTrigger, l0StallTrigger };
      if (one.name === "tiered" && l0StallTrigger === 1) {
        assert.throws(() => resolveTuning({ ...limits, ...one.rules }), { message: /l0StallTrigger is 1/ });
        return;
      }
      resolveTuning({ ...limits, ...one.rules });
      const store = new ModelStore({ ...tuning, ...limits, ...one.rules });
      for (const count of counts.sort((a, b) => b - a)) {
        store.flush(Array.from({ length: count + 1 }, (_, i) => (count + i * 7) % 256));
        settle(store, one.agent);
        assert.ok(store.levels[0].length < l0StallTrigger, "a writer would wait for ever");
      }
    }),
    { numRuns: 300 },
  );
});

test("an agent handed a store of the other style goes on with it", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(2), { minLength: 30, maxLength: 60 }), fc.nat(1000), (switches, seed) => {
      const store = new ModelStore(tuning);
      for (const [round, which] of switches.entries()) {
        store.flush(Array.from({ length: 25 }, (_, i) => (seed + round * 31 + i * 7) % 256));
        const { agent, rules } = contenders[which];
        const view = { ...store.view(1), tuning: { ...tuning, ...rules } };
        const proposal = agent.step(view);
        if (proposal === undefined) continue;
        assert.equal(problemOf(view, proposal), undefined);
        store.compactions = [proposal as CompactionProposal];
        store.end(0);
        for (const [key, index] of store.truth) assert.equal(store.get(key), index);
      }
    }),
    { numRuns: 100 },
  );
});

test("dynamic sizes: the levels above the last hold a ninth of it, and level 0 goes where levels begin", () => {
  const file = (sizeBytes: number, from: number, to: number): FileMeta => ({
    number: from, sizeBytes, entryCount: 1, deleteCount: 0, indexMin: 0, indexMax: 0,
    smallest: Uint8Array.of(from), largest: Uint8Array.of(to),
  });
  const rules = { ...tuning, levelSizing: "dynamic" as const, levelBaseBytes: 100, levelMultiplier: 10 };
  const empty = Array.from({ length: levelsMax }, (): FileMeta[] => []);
  assert.equal(levelShapeOf(empty, rules).baseLevel, 6);
  const withLast = (bytes: number) => [...empty.slice(0, 6), [file(bytes, 1, 9)]];
  assert.equal(levelShapeOf(withLast(90), rules).baseLevel, 6);
  assert.deepEqual(levelShapeOf(withLast(5000), rules), {
    baseLevel: 4,
    targetBytes: [Infinity, Infinity, Infinity, Infinity, 100, 500, Infinity],
  });
  assert.equal(levelShapeOf(withLast(1e9), rules).baseLevel, 1);
  const left = empty.map((files, level) => (level === 2 ? [file(10, 1, 9)] : files));
  assert.equal(levelShapeOf(left, rules).baseLevel, 2, "never below a level with files");
});

test("tiered writes less than leveled and keeps more runs; its space stays within the bound", () => {
  const writes = contenders.map(({ agent, rules }) => {
    const store = new ModelStore({ ...tuning, ...rules });
    let space = 0;
    for (let round = 0; round < 300; round++) {
      store.flush(Array.from({ length: 12 }, (_, i) => (round * 97 + i * 41) % 256));
      settle(store, agent);
      space = Math.max(space, totalBytes(store.levels.flat()) / store.truth.size);
    }
    const runs = runBytesOf(store.levels).length;
    return { written: store.written / store.flushed, runs, space };
  });
  const [leveled, , tiered] = writes;
  assert.ok(tiered.written < 0.8 * leveled.written, JSON.stringify(writes));
  assert.ok(tiered.space <= 1 + tuning.tieredSpacePercent / 100 + 0.3, JSON.stringify(writes));
});

test("while old files of level 0 go down, new ones that pile up are merged, and the order by age stays", () => {
  const store = new ModelStore(tuning);
  for (let round = 0; round < 3; round++) store.flush([1, 100, 200]);
  assert.ok(store.start(compactionAgent, 2));
  for (let round = 0; round < 4; round++) store.flush([1, 50 + round]);
  assert.ok(store.start(compactionAgent, 2));
  assert.equal(store.compactions[1].outputLevel, 0);
  store.flush([1]);
  store.end(1);
  assert.equal(store.levels[0].length, 5, "three that go down, the merged one, the newest");
  assert.equal(store.get(1), 8);
  store.end(0);
  assert.equal(store.get(1), 8);
  assert.equal(store.get(100), 3);
});

test("proposals that would lose data are found out", () => {
  const store = new ModelStore(tuning);
  for (let round = 0; round < 3; round++) store.flush([1, 100, 200]);
  const view = store.view(4);
  const proposal = compactionAgent.step(view) as CompactionProposal;
  assert.equal(problemOf(view, proposal), undefined);
  const busy = { ...view, compactions: [proposal] };
  assert.match(problemOf(busy, proposal) ?? "", /under way/);
  store.start(compactionAgent, 4);
  store.end(0);
  assert.match(problemOf(store.view(4), proposal) ?? "", /is not in level 0/);
  const [below] = store.levels[1];
  store.flush([below.smallest[0]]);
  const alone = { ...proposal, inputs: [{ level: 0, files: store.levels[0] }] };
  assert.match(problemOf(store.view(4), alone) ?? "", /overlaps the inputs/);
  assert.ok(overlapping(store.levels[1], below.smallest, below.smallest).length > 0);
});

test("proposals of an agent that mistakes ages are found out", () => {
  const store = new ModelStore(tuning);
  for (let round = 0; round < 4; round++) store.flush([1, 100, 200]);
  const view = store.view(4);
  const [newest, second, third, oldest] = view.levels[0];
  const runs = (...files: FileMeta[]) => files.map((file) => ({ level: 0, files: [file] }));
  const whole: CompactionProposal = {
    kind: "compaction", inputs: runs(newest, second, third, oldest), outputLevel: 1, bottom: true, move: false,
  };
  const refused = (change: Partial<CompactionProposal>, why: RegExp, at = view) =>
    assert.match(problemOf(at, { ...whole, ...change }) ?? "", why);
  assert.equal(problemOf(view, whole), undefined);
  refused({ move: true }, /moves files that overlap/);
  refused({ inputs: runs(newest, oldest), bottom: false }, /leaves out table 3/);
  refused({ inputs: runs(newest, second), bottom: false }, /come under table \d/);
  refused({ inputs: runs(newest, second), outputLevel: 0 }, /not at the bottom/);
  assert.equal(problemOf(view, { ...whole, inputs: runs(newest, second), outputLevel: 0, bottom: false }), undefined);
  store.start(compactionAgent, 4);
  store.end(0);
  store.flush([1, 2]);
  const later = store.view(4);
  const fresh = runs(...later.levels[0]);
  refused({ inputs: fresh, outputLevel: 3, bottom: false }, /come under table \d+/, later);
  refused({ inputs: [{ level: 1, files: later.levels[1] }], outputLevel: 0 }, /does not lie below/, later);
  refused({ inputs: fresh, outputLevel: 0 }, /not at the bottom/, later);
});
