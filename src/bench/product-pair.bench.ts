/**
 * Two products of one contract side by side, where a study cannot compare them because their parts differ:
 *
 *     node src/bench/product-pair.bench.ts CONTRACT --with caching.row_cache=w_tinylfu [--launches 6] [--scale N]
 *
 * The incumbent is the contract's product, the candidate that of the contract with the value put in its place. Launches
 * as of a study: a coin draws the order, short blocks take turns, the side that is not measured is frozen.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parseDocument } from "yaml";
import { loadContract } from "../contract/parse.ts";
import { createWorkDirectory } from "../fleet/work-directory.ts";
import { buildProduct } from "../foundry/build.ts";
import { loadKnobCatalog } from "../knobs/catalog.ts";
import { runLaunch } from "./launch.ts";
import { type Contender, productContender } from "./launch-side.ts";
import type { SideSample, Statistic } from "./measurement.ts";
import { prepareCheckpoint } from "./prepared-data.ts";
import { fixedSizeInterval } from "./statistics/interval.ts";

const { positionals: [contractFile], values } = parseArgs({
  allowPositionals: true,
  options: {
    with: { type: "string", multiple: true, default: [] },
    launches: { type: "string", default: "6" },
    scale: { type: "string" },
  },
});
if (contractFile === undefined || values.with.length === 0) {
  throw new Error("usage: node src/bench/product-pair.bench.ts CONTRACT --with path.to.field=value");
}
const dataSeed = 1;

/** Builds a product and fills a checkpoint for it. */
async function prepare(name: string, changes: readonly string[], work: string): Promise<Contender> {
  const document = parseDocument(readFileSync(contractFile, "utf8"), { intAsBigInt: true });
  for (const change of changes) {
    const at = change.indexOf("=");
    document.setIn(change.slice(0, at).split("."), change.slice(at + 1));
  }
  mkdirSync(join(work, name), { recursive: true });
  const file = join(work, name, "contract.yaml");
  writeFileSync(file, document.toString());
  const contract = loadContract(file);
  const productDirectory = join(work, name, "product");
  buildProduct({ contract, contractText: document.toString(), knobCatalog: loadKnobCatalog() }, productDirectory);
  const checkpointDirectory = join(work, name, "data");
  await prepareCheckpoint({ productDirectory, knobs: {}, checkpointDirectory, workload, dataSeed });
  return productContender({ productDirectory, knobs: {}, checkpointDirectory });
}

function line(name: string, { opsPerSecond, serverCpuUsPerOp, p99Us, memoryMiB, errors }: SideSample): string {
  const cpu = `${serverCpuUsPerOp.toFixed(2)} µs CPU/op`;
  return `${name} ${Math.round(opsPerSecond)} ops/s, ${cpu}, p99 ${Math.round(p99Us)} µs, ${Math.round(memoryMiB)} MiB, ` +
    `${errors} errors`;
}

const { workload: asked } = loadContract(contractFile);
const workload = { ...asked, scale: Number(values.scale ?? asked.scale) };
const work = createWorkDirectory("pair");
try {
  const incumbent = await prepare("incumbent", [], work.path);
  const candidate = await prepare("candidate", values.with, work.path);
  const ratios: Record<Statistic, number[]> = { throughput: [], cost: [], p50: [], p99: [], memory: [] };
  for (let seed = 1; seed <= Number(values.launches); seed++) {
    const workDirectory = join(work.path, "launch");
    const sample = await runLaunch({ workload, dataSeed, seed, incumbent, candidate, workDirectory });
    console.log(line("incumbent", sample.incumbent));
    console.log(line("candidate", sample.candidate));
    for (const name of Object.keys(ratios) as Statistic[]) ratios[name].push(sample.logRatios[name]);
  }
  for (const [name, found] of Object.entries(ratios)) {
    const { estimate, low, high, level } = fixedSizeInterval(found, 0.95);
    const [middle, from, to] = [estimate, low, high].map((one) => Math.exp(one).toFixed(3));
    console.log(`${name} ×${middle} (${from} to ${to}, level ${level.toFixed(2)}), of candidate to incumbent`);
  }
} finally {
  work.remove();
}
