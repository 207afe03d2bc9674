import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { WorkloadSpec } from "../contract/contract.ts";
import { startScriptServer } from "../fleet/script-server.ts";
import type { RunningServer } from "../fleet/server.ts";
import { processExists } from "../fleet/process-accounting.ts";
import type { Contender } from "./launch-side.ts";
import { firstSide, type LaunchOptions, runLaunch } from "./launch.ts";
import type { Block } from "./measurement.ts";

const directory = mkdtempSync(join(tmpdir(), "lathe-launch-test-"));
after(() => rmSync(directory, { recursive: true, force: true }));
const checkpointDirectory = join(directory, "checkpoint");
mkdirSync(checkpointDirectory);
writeFileSync(join(checkpointDirectory, "000001.sst"), "immutable");
writeFileSync(join(checkpointDirectory, "CURRENT"), "changes");
const workDirectory = join(directory, "work");
const workload: WorkloadSpec = { benchmark: "ycsb", profile: "c", scale: 100, clients: 2, loop: "closed" };
const program = fileURLToPath(new URL("./fixed-row-server.ts", import.meta.url));

const started: RunningServer[] = [];

/** A server of fixed rows; it sees its clone of the checkpoint, and may be given a fate. */
function contender(fate: (server: RunningServer) => void = () => undefined): Contender {
  return {
    checkpointDirectory,
    start: async (dataDirectory, name) => {
      assert.deepEqual(readdirSync(dataDirectory), ["000001.sst", "CURRENT"]);
      const server = await startScriptServer(name, program);
      started.push(server);
      fate(server);
      return server;
    },
  };
}

function options(changes: Partial<LaunchOptions> = {}): LaunchOptions {
  return {
    workload, dataSeed: 1, seed: 4, incumbent: contender(), candidate: contender(), workDirectory,
    warmUpMs: 50, blockMs: 30, blockPairs: 3, ceilingOpsPerSecond: 1e9, ...changes,
  };
}

function assertNothingLeft(): void {
  assert.deepEqual(started.filter(({ processId }) => processExists(processId)), []);
  assert.deepEqual(existsSync(workDirectory) ? readdirSync(workDirectory) : [], []);
}

test("a launch interleaves blocks AB BA AB, keeps them raw, verifies values and leaves nothing behind", async () => {
  const sample = await runLaunch(options());
  assert.equal(sample.first, firstSide(4));
  const [a, b] = sample.first === "incumbent" ? ["incumbent", "candidate"] : ["candidate", "incumbent"];
  assert.deepEqual(sample.blocks.map(({ side }) => side), [a, b, b, a, a, b]);
  assert.deepEqual(sample.blocks.map(({ position }) => position), [0, 1, 2, 3, 4, 5]);
  for (const side of [sample.incumbent, sample.candidate]) {
    assert.ok(side.opsPerSecond > 0 && side.serverCpuUsPerOp > 0 && side.memoryMiB > 0 && side.p99Us >= side.p50Us);
    assert.equal(side.verificationFailures, side.operations.READ.count, "canned answers are all found");
  }
  const operations = (side: string) =>
    sample.blocks.filter((block) => block.side === side).reduce((sum, block) => sum + block.operations, 0);
  assert.equal(operations("candidate"), sample.candidate.operations.READ.count);
  const ratio = sample.candidate.opsPerSecond / sample.incumbent.opsPerSecond;
  assert.ok(Math.abs(sample.logRatios.throughput - Math.log(ratio)) < 1e-12);
  const costs = Math.log(sample.incumbent.serverCpuUsPerOp / sample.candidate.serverCpuUsPerOp);
  assert.ok(Math.abs(sample.logRatios.cost - costs) < 1e-12);
  assert.equal(sample.driver.driverBound, sample.driver.eventLoopDelayP99Ms > 1);
  assertNothingLeft();
});

test("the coin is fair, and its throws tell nothing of one another", () => {
  const seeds = Array.from({ length: 4000 }, (_, seed) => seed);
  const share = (accept: (seed: number) => boolean) => seeds.filter(accept).length / seeds.length;
  const heads = (seed: number) => firstSide(seed) === "candidate";
  for (const accept of [heads, (seed: number) => heads(seed) === heads(seed + 1), (seed: number) => heads(seed * 977)]) {
    assert.ok(Math.abs(share(accept) - 0.5) < 0.04, `${share(accept)}`);
  }
});

test("a server that dies is named, with its log, and what was measured is handed over", async () => {
  // It gets a server that its owner will kill in its second or third block: it is thawed once for a first warm-up, eight
  // times for the turns of the warm-up, once where it has to catch up, and then for its blocks.
  let thaws = 0;
  const doomed = contender((server) => {
    const thaw = server.thaw.bind(server);
    (server as { thaw: () => void }).thaw = () => {
      thaw();
      if (++thaws === 12) void server.kill();
    };
  });
  type Death = Error & { code: string; details: { side: string; blocks: Block[] } };
  await assert.rejects(runLaunch(options({ candidate: doomed })), (error: Death) => {
    assert.equal(error.code, "CLOSED");
    assert.match(error.message, /the candidate died while it was measured \(signal SIGKILL\); its log ends: .*listening/);
    assert.equal(error.details.side, "candidate");
    assert.ok(error.details.blocks.length >= 1 && error.details.blocks.length <= 6);
    return true;
  });
  assertNothingLeft();
});

test("an abort ends a launch soon and cleans up, whenever it comes", async () => {
  for (const delayMs of [0, 300]) {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), delayMs);
    await assert.rejects(runLaunch(options({ blockPairs: 1000, signal: abort.signal })), { code: "CANCELLED" });
    assertNothingLeft();
  }
});

test("a side that cannot start is an error of its own, and the other does not stay", async () => {
  const failing = { checkpointDirectory: join(directory, "nowhere"), start: contender().start };
  await assert.rejects(runLaunch(options({ incumbent: failing })), { code: "NOT_FOUND" });
  assertNothingLeft();
});
