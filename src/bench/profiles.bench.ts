/**
 * What a window of losses is worth: one product over HTTP with `--profile fast` beside itself with `--profile safe`.
 *
 *     node src/bench/profiles.bench.ts [--pairs 7] [--seconds 2] [--window-ms 50] [--connections 64]
 *
 * Launches alternate on fresh data, on a disk, in the order safe fast, fast safe, …; each pair gives one ratio, so that
 * what loads the machine meanwhile loads both. Every answer is checked.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadContract } from "../contract/parse.ts";
import { startProduct } from "../fleet/product-server.ts";
import { createWorkDirectory, type WorkDirectory } from "../fleet/work-directory.ts";
import { buildProduct } from "../foundry/build.ts";
import { describeMachine, machineText } from "../kit/machine.ts";
import type { Profile } from "../kit/product.ts";
import { loadKnobCatalog } from "../knobs/catalog.ts";
import { type HttpPhase, runHttpLoad } from "./http-load.ts";

const contractFile = "examples/sndv-kv/contract.yaml";
const { values: flags } = parseArgs({
  options: {
    pairs: { type: "string", default: "7" },
    seconds: { type: "string", default: "2" },
    "window-ms": { type: "string", default: "50" },
    connections: { type: "string", default: "64" },
  },
});
const windowMs = Number(flags["window-ms"]);

async function launch(work: WorkDirectory, profile: Profile, seed: number): Promise<HttpPhase[]> {
  const dataDirectory = mkdtempSync(join(work.path, "data-"));
  const productDirectory = join(work.path, "product");
  const server = await startProduct({ productDirectory, dataDirectory, surface: "http", profile });
  try {
    const durationMs = Number(flags.seconds) * 1000;
    return await runHttpLoad({
      endpoint: server.endpoint, scale: 100_000, seed, connections: Number(flags.connections), batchConnections: 16,
      batchItems: 100, valueBytes: 64, warmUpMs: durationMs / 2, durationMs, serverCpuUs: () => server.cpuUs(),
    });
  } finally {
    await server.stop();
    rmSync(dataDirectory, { recursive: true, force: true });
  }
}

function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  return `${middle.toFixed(2)} (${sorted[0].toFixed(2)}–${sorted[sorted.length - 1].toFixed(2)})`;
}

async function main(): Promise<void> {
  const work = createWorkDirectory("profiles-bench");
  try {
    const strict = loadContract(contractFile);
    const storage = { ...strict.storage, durability: "interval", lossWindowMs: windowMs } as const;
    const contractText = readFileSync(contractFile, "utf8");
    const contract = { ...strict, storage };
    buildProduct({ contract, contractText, knobCatalog: loadKnobCatalog() }, join(work.path, "product"));
    const pairs: Record<Profile, HttpPhase[]>[] = [];
    for (let pair = 0; pair < Number(flags.pairs); pair++) {
      const found: Partial<Record<Profile, HttpPhase[]>> = {};
      for (const profile of pair % 2 === 0 ? (["safe", "fast"] as const) : (["fast", "safe"] as const)) {
        found[profile] = await launch(work, profile, pair + 1);
      }
      pairs.push(found as Record<Profile, HttpPhase[]>);
    }
    const machine = machineText(describeMachine());
    console.log(`${pairs.length} pairs of ${flags.seconds} s, a window of ${windowMs} ms, ${machine}`);
    for (const [at, { name }] of pairs[0].safe.entries()) {
      const ratio = (of: (phase: HttpPhase) => number) =>
        spread(pairs.map(({ safe, fast }) => of(fast[at]) / of(safe[at])));
      const rate = (profile: Profile) => spread(pairs.map((pair) => pair[profile][at].itemsPerSecond / 1000));
      const wrong = pairs.reduce((sum, { safe, fast }) => sum + safe[at].wrong + fast[at].wrong, 0);
      console.log(
        `${name}: fast/safe items/s ${ratio((phase) => phase.itemsPerSecond)}, server CPU ` +
          `${ratio((phase) => phase.serverCpuUsPerItem)}, p50 ${ratio((phase) => phase.p50Us)}, p99 ` +
          `${ratio((phase) => phase.p99Us)}; thousand items/s safe ${rate("safe")}, fast ${rate("fast")}; ` +
          `${wrong} wrong`,
      );
    }
  } finally {
    work.remove();
  }
}

await main();
