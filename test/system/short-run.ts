/**
 * The program of `main-job.test.ts`: `lathe run`, but short: one quick gate, few and small launches. What it
 * does is the same. Arguments: contract, directory, seed, and a time to warm up that the study keeps.
 * `LATHE_TEST_END="SIGNAL PATTERN"` sends the signal to its own process group in the middle of what a line that matches
 * announces.
 */
import { loadServedContract } from "../../src/app/contract.ts";
import { runContract } from "../../src/app/run.ts";
import { httpDifferentialGate } from "../../src/gates/http/http-differential-gate.ts";
import { loadGate } from "../../src/gates/load-gate.ts";

const [contractFile, directory, seed, warmUpMs] = process.argv.slice(2);
const controller = new AbortController();
process.on("SIGINT", () => controller.abort());

const [, signal, pattern] = /^(\S+) (.+)$/.exec(process.env.LATHE_TEST_END ?? "") ?? [];
const inTheMiddleMs = 300;
let awaited = pattern === undefined ? undefined : new RegExp(pattern);

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
  if (awaited?.test(line) !== true) return;
  awaited = undefined;
  // From here, so that the job does not go on while somebody else reads the line.
  setTimeout(() => process.kill(-process.pid, signal as NodeJS.Signals), inTheMiddleMs);
}

const overHttp = loadServedContract(contractFile).contract.surface.protocols.includes("http");
const gates = overHttp
  ? [httpDifferentialGate({ requests: 100, stage: "candidate" })]
  : [loadGate({ connections: 12, milliseconds: 200 })];
try {
  const { summary: _, ...result } = await runContract(
    {
      contractFile,
      directory,
      budget: { trials: 1, minutes: undefined },
      policy: "greedy",
      seed: Number(seed),
      force: false,
      verify: "none",
      scale: 2000,
      warmUpMs: warmUpMs === undefined ? undefined : Number(warmUpMs),
      mariadb: false,
      overrides: {
        gates: { product: gates, candidate: gates },
        launch: { warmUpMs: 100, blockMs: 50, blockPairs: 2 },
        settings: { calibrationLaunches: 4, screeningLaunchesMax: 1 },
      },
    },
    {
      signal: controller.signal,
      progress: tell,
      status: ({ text }) => tell(text),
    },
  );
  process.stdout.write(JSON.stringify(result));
} catch (error) {
  const { code, message } = error as { code?: string; message: string };
  process.stdout.write(JSON.stringify({ error: { code, message } }));
}
