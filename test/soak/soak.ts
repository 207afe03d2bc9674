/**
 * The long soak: `node --expose-gc test/soak/soak.ts [--seeds N] [--seed S] [--minutes M] [--leaks]`. Runs seeds one
 * after the other until they or the minutes are used up; with `--leaks` 10^5 cursors and 10^3 stores as well. One line
 * of JSON per seed; a failure names its seed and leaves its directory.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createNodeEnv } from "../../src/kit/env/node-env.ts";
import { growthByCursors, growthByStores } from "./leaks.ts";
import { SoakRun } from "./soak-run.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000000" },
    seed: { type: "string", default: "1" },
    minutes: { type: "string", default: "5" },
    leaks: { type: "boolean", default: false },
  },
});
const env = createNodeEnv({ logLevel: "error", threads: 4 });
const tell = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const endMs = performance.now() + Number(values.minutes) * 60_000;
const first = Number(values.seed);

for (let seed = first; seed < first + Number(values.seeds) && performance.now() < endMs; seed++) {
  const directory = mkdtempSync(join(tmpdir(), `lathe-soak-${seed}-`));
  const run = new SoakRun(env, { directory, seed, writers: 64, keysPerWriter: 120, rounds: 6, roundMs: 4000 });
  try {
    tell({ seed, ...(await run.run()) });
  } catch (error) {
    tell({ seed, failure: (error as Error).stack, directory, ...run.counts });
    process.exitCode = 1;
    break;
  }
  rmSync(directory, { recursive: true, force: true });
}
if (values.leaks) {
  const directory = mkdtempSync(join(tmpdir(), "lathe-soak-leaks-"));
  tell({ cursors: 1e5, growth: await growthByCursors(env, join(directory, "cursors"), 1e5) });
  tell({ stores: 1e3, growth: await growthByStores(env, directory, 1e3) });
  rmSync(directory, { recursive: true, force: true });
}
await env.threads.close();
