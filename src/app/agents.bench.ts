/**
 * Two compaction agents on one live store under traffic, by paired blocks in random order (compare-agents.ts):
 * `node src/app/agents.bench.ts [--incumbent leveled] [--candidates leveled-again,leveled-eager,tiered]
 * [--pairs 14] [--writes 30000] [--keys 200000] [--seed 1] [--directory DIR] [--record DIR]`; with --record it writes
 * agents.json and agents.md there.
 *
 *   leveled, tiered    the engine's own agents
 *   leveled-again      the leveled agent under another name: against `leveled` no difference may be shown
 *   leveled-eager      planted: leveled, but it compacts level 0 at every single file: must be shown as dearer
 * Traffic: overwrites of random keys among `--keys`, a read of a random key per write; the same operations for both
 * sides of a pair. Costs: wall and processor time with the drain, bytes written.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { SeededRandom } from "../bench/statistics/seeded-random.ts";
import { createNodeEnv } from "../kit/env/node-env.ts";
import type { Agent } from "../parts/storage/storage_model/row/kvlsm/blackboard/agent.ts";
import {
  type BlackboardEngine, openBlackboardEngine,
} from "../parts/storage/storage_model/row/kvlsm/blackboard/blackboard-engine.ts";
import { compactionAgent } from "../parts/storage/storage_model/row/kvlsm/blackboard/compaction-agent.ts";
import { tieredCompactionAgent } from "../parts/storage/storage_model/row/kvlsm/blackboard/tiered-compaction-agent.ts";
import { WriteBatch } from "../parts/storage/write-batch.ts";
import { type AgentComparison, type AgentSide, type BlockCost, compareAgents, costNames } from "./compare-agents.ts";

const { values } = parseArgs({
  options: {
    incumbent: { type: "string", default: "leveled" },
    candidates: { type: "string", default: "leveled-again,leveled-eager,tiered" },
    pairs: { type: "string", default: "14" },
    writes: { type: "string", default: "30000" },
    keys: { type: "string", default: "200000" },
    seed: { type: "string", default: "1" },
    directory: { type: "string" },
    record: { type: "string" },
  },
});
const [pairs, writes, keys, seed] = [values.pairs, values.writes, values.keys, values.seed].map(Number);

const contenders: Readonly<Record<string, { readonly style: "leveled" | "tiered"; readonly agent: Agent }>> = {
  leveled: { style: "leveled", agent: compactionAgent },
  tiered: { style: "tiered", agent: tieredCompactionAgent },
  "leveled-again": {
    style: "leveled",
    agent: { name: "leveled-again", step: (view) => compactionAgent.step(view) },
  },
  "leveled-eager": {
    style: "leveled",
    agent: {
      name: "leveled-eager",
      step: (view) => compactionAgent.step({ ...view, tuning: { ...view.tuning, l0CompactionTrigger: 1 } }),
    },
  },
};

/** Small memtables and levels, so that a block of seconds sees many compactions. */
const tuning = { memtableBytes: 1 << 20, levelBaseBytes: 4 << 20, targetFileBytes: 1 << 20, blockCacheBytes: 8 << 20 };

class LiveStore {
  readonly #engine: BlackboardEngine;
  #present = compactionAgent.name;
  readonly #batch = new WriteBatch();
  readonly #key = new Uint8Array(16);
  readonly #value = new Uint8Array(128);

  constructor(engine: BlackboardEngine) {
    this.#engine = engine;
  }

  /** Puts the agent in force; the style goes with it, because it decides what counts as debt. */
  use(name: string): void {
    const { style, agent } = contenders[name];
    // The engine changes an agent of its own with the style, and leaves a stranger in its place.
    this.#engine.setTuning({ compactionStyle: style });
    const own = [compactionAgent.name, tieredCompactionAgent.name];
    if (own.includes(this.#present)) this.#present = own[style === "leveled" ? 0 : 1];
    this.#engine.replaceAgent(this.#present, agent);
    this.#present = agent.name;
  }

  async run(count: number, random: SeededRandom): Promise<void> {
    for (let i = 0; i < count; i++) {
      for (let wait = this.#engine.backpressure(); wait !== undefined; wait = this.#engine.backpressure()) await wait;
      if (i % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
      new DataView(this.#value.buffer).setUint32(0, random.u32());
      this.#batch.clear();
      this.#engine.applySync(this.#batch.put(this.#keyOf(random), this.#value), this.#engine.appliedIndex + 1);
      this.#engine.getSync(this.#keyOf(random));
    }
  }

  async rest(): Promise<void> {
    await this.#engine.flush();
    await this.#engine.settle();
  }

  get writtenBytes(): number {
    const names = ["lsm_flushed_bytes_total", "lsm_compaction_written_bytes_total"];
    return this.#engine.metrics().reduce(
      (total, one) => total + (one.kind !== "histogram" && names.includes(one.name) ? one.value : 0), 0,
    );
  }

  #keyOf(random: SeededRandom): Uint8Array {
    new DataView(this.#key.buffer).setUint32(12, random.integer(keys));
    return this.#key;
  }
}

async function measured(store: LiveStore, work: () => Promise<void>): Promise<BlockCost> {
  const [startMs, cpu, written] = [performance.now(), process.cpuUsage(), store.writtenBytes];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return {
    wallSeconds: (performance.now() - startMs) / 1000,
    cpuSeconds: (user + system) / 1e6,
    writtenBytes: store.writtenBytes - written,
  };
}

async function compareWith(candidate: string): Promise<AgentComparison> {
  const directory = mkdtempSync(join(values.directory ?? tmpdir(), "lathe-agents-bench-"));
  const env = createNodeEnv({ logLevel: "warn" });
  const engine = await openBlackboardEngine(env, { directory, ...tuning });
  try {
    const store = new LiveStore(engine);
    const names: Readonly<Record<AgentSide, string>> = { incumbent: values.incumbent, candidate };
    await store.run(keys, new SeededRandom(seed));
    const random = new SeededRandom(seed + 1);
    return await compareAgents({
      pairs,
      seed,
      confidence: 0.95,
      washIn: async (side) => {
        store.use(names[side]);
        await store.run(writes, random);
        await store.rest();
      },
      measure: (_side, pair) =>
        measured(store, async () => {
          await store.run(writes, new SeededRandom(seed * 1000 + pair));
          await store.rest();
        }),
    });
  } finally {
    await engine.close();
    await env.threads.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

function rowsOf(candidate: string, { ratios, verdicts }: AgentComparison): string[] {
  return costNames.map((name) => {
    const { estimate, low, high, level } = ratios[name];
    const interval = `${low.toFixed(3)} … ${high.toFixed(3)} (${(level * 100).toFixed(1)} %)`;
    const cells = [`${candidate} by ${values.incumbent}`, name, estimate.toFixed(3), interval, verdicts[name]];
    return `| ${cells.join(" | ")} |`;
  });
}

async function main(): Promise<void> {
  const [before] = loadavg();
  const comparisons: Record<string, AgentComparison> = {};
  const rows = ["| agents | cost | ratio | interval | verdict |", "|---|---|---|---|---|"];
  for (const candidate of values.candidates.split(",")) {
    comparisons[candidate] = await compareWith(candidate);
    rows.push(...rowsOf(candidate, comparisons[candidate]));
    console.log(rows.slice(-costNames.length).join("\n"));
  }
  if (values.record === undefined) return;
  const command = `node src/app/agents.bench.ts --pairs ${pairs} --writes ${writes} --keys ${keys} --seed ${seed}`;
  const machine = `load average of the machine ${before.toFixed(1)} before, ${loadavg()[0].toFixed(1)} after`;
  const text = [
    `\`${command}\`, ${machine}. Exact signed-rank intervals over ${pairs} pairs of blocks on one live store.`,
    "",
    ...rows,
    "",
  ];
  mkdirSync(values.record, { recursive: true });
  writeFileSync(join(values.record, "agents.md"), text.join("\n"));
  writeFileSync(join(values.record, "agents.json"), `${JSON.stringify({ command, machine, comparisons }, null, 1)}\n`);
}

// Timers and threads of the engine keep no process alive.
const alive = setInterval(() => undefined, 2 ** 30);
await main();
clearInterval(alive);
