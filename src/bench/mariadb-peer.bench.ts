/**
 * A product beside MariaDB: same machine, same client, same workload, interleaved in launches; MariaDB is the incumbent.
 *
 *   node src/bench/mariadb-peer.bench.ts PRODUCT_DIRECTORY [--edges 500000] [--launches 3] [--pool-mib 2048] [--knob a=b]…
 *
 * Both flush every commit; MariaDB's pool and, by the knobs given, the product's caches hold the data. What counts is
 * server CPU per operation (`cost`): on few cores throughput also depends on what the client leaves.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { WorkloadSpec } from "../contract/contract.ts";
import { startMariadb } from "../fleet/mariadb-server.ts";
import { createWorkDirectory } from "../fleet/work-directory.ts";
import { parseKnobArgument } from "../kit/knob-file.ts";
import { Driver } from "./driver.ts";
import { runLaunch } from "./launch.ts";
import { type Contender, productContender } from "./launch-side.ts";
import type { SideSample } from "./measurement.ts";
import { prepareCheckpoint } from "./prepared-data.ts";
import { drainServer } from "./server-signals.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    edges: { type: "string", default: "500000" },
    launches: { type: "string", default: "3" },
    "pool-mib": { type: "string", default: "2048" },
    profile: { type: "string", default: "o" },
    knob: { type: "string", multiple: true, default: [] },
  },
});
const [productDirectory] = positionals;
if (productDirectory === undefined) throw new Error("usage: node src/bench/mariadb-peer.bench.ts PRODUCT_DIRECTORY");
const workload: WorkloadSpec = {
  benchmark: "taobench", profile: values.profile, scale: Number(values.edges), clients: 8, loop: "closed",
};
const knobs = Object.fromEntries(values.knob.map(parseKnobArgument));
const poolMiB = Number(values["pool-mib"]);
const dataSeed = 1;

async function prepareMariadb(directory: string): Promise<Contender> {
  const server = await startMariadb({ dataDirectory: directory, poolMiB });
  console.log(`MariaDB ${server.version} ${server.options.join(" ")}`);
  const driver = await Driver.start(workload, dataSeed);
  try {
    const loaded = await driver.load(server.endpoint);
    console.log(`MariaDB loaded ${loaded.rows} rows in ${loaded.seconds.toFixed(1)} s`);
    await drainServer(server, 120_000);
    await server.stop(120_000);
  } finally {
    await driver.close();
    await server.kill();
  }
  return { checkpointDirectory: directory, start: (dataDirectory) => startMariadb({ dataDirectory, poolMiB }) };
}

function line(name: string, side: SideSample): string {
  const { opsPerSecond, serverCpuUsPerOp, p50Us, p99Us, memoryMiB } = side;
  return [
    name.padEnd(8), `${Math.round(opsPerSecond)} ops/s`, `${serverCpuUsPerOp.toFixed(2)} µs CPU/op`,
    `p50 ${Math.round(p50Us)} µs`, `p99 ${Math.round(p99Us)} µs`, `${Math.round(memoryMiB)} MiB`,
    `errors ${side.errors}`, `wrong ${side.verificationFailures}`,
  ].join("  ");
}

const work = createWorkDirectory("peer");
try {
  const incumbent = await prepareMariadb(join(work.path, "m"));
  const checkpointDirectory = join(work.path, "product");
  const loaded = await prepareCheckpoint({ productDirectory, knobs, checkpointDirectory, workload, dataSeed });
  console.log(`product ${JSON.stringify(knobs)} loaded ${loaded.rows} rows in ${loaded.seconds.toFixed(1)} s`);
  const candidate = productContender({ productDirectory, knobs, checkpointDirectory });
  for (let launch = 1; launch <= Number(values.launches); launch++) {
    const workDirectory = join(work.path, "l");
    const options = { workload, dataSeed, seed: launch, incumbent, candidate, workDirectory };
    const sample = await runLaunch({ ...options, warmUpMs: 3000, blockMs: 200, blockPairs: 10 });
    console.log(line("MariaDB", sample.incumbent));
    console.log(line("product", sample.candidate));
    const { cost, throughput } = sample.logRatios;
    const bound = sample.driver.driverBound ? " (driver-bound)" : "";
    console.log(`CPU per operation 1/${Math.exp(cost).toFixed(2)}, throughput ×${Math.exp(throughput).toFixed(2)}${bound}`);
  }
} finally {
  work.remove();
}
