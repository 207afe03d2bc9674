/**
 * What one more feature takes in either coordination: patches in `src/bench/conventional/features/`, which are applied
 * here to a copy of the tree, checked and tested, and counted by `coordination-bars.ts`.
 *
 *   scrub        a new kind of background job: every table is read and checked once while nothing else is due.
 *   tombstones   a new rule for a job that is there: files of tombstones are compacted although their level has room.
 * `shared.diff` has what both coordinations use: the job, the rule, counters, and the tests that must pass in each.
 *
 *   node scripts/coordination-features.ts        (some ten seconds; exits with 1 where a patch no longer fits or works)
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withoutComments } from "./code-size.ts";
import { readText, root } from "./repository.ts";

const folder = "src/bench/conventional/features";
const engine = "src/parts/storage/storage_model/row/kvlsm/blackboard";
const redirection = "./src/bench/conventional/instead-of-agents.bench.ts";

interface Feature {
  readonly name: string;
  readonly title: string;
  readonly tests: readonly string[];
}

const features: readonly Feature[] = [
  {
    name: "scrub",
    title: "a new kind of job: scrubbing in the background",
    tests: ["background-scrub.test.ts", "background.test.ts", "agents.test.ts"],
  },
  {
    name: "tombstones",
    title: "a new rule for compactions: files of tombstones go down",
    tests: ["tombstone-agent.test.ts", "background.test.ts", "parallel-compactions.test.ts"],
  },
];
const coordinations = ["agents", "scheduler"] as const;

export interface FeatureCost {
  readonly title: string;
  readonly coordination: (typeof coordinations)[number];
  /** Lines with something on them beside a comment, imports included. */
  readonly added: number;
  readonly removed: number;
  readonly filesChanged: number;
  readonly filesAdded: number;
  /** Tests that had to be changed because what they build has changed. */
  readonly testsChanged: number;
}

export function featureCosts(): FeatureCost[] {
  return features.flatMap(({ name, title }) =>
    coordinations.map((coordination) => ({ title, coordination, ...costOf(`${coordination}-${name}.diff`) })),
  );
}

function costOf(diff: string): Omit<FeatureCost, "title" | "coordination"> {
  const files = readText(join(folder, diff)).split(/^diff --git .*$/m).slice(1);
  const isTest = (file: string) => /^\+\+\+ .*\.test\.ts$/m.test(file);
  const code = files.filter((file) => !isTest(file));
  const lines = (sign: "+" | "-") =>
    code
      .map((file) => file.split("\n").filter((line) => line.startsWith(sign) && !line.startsWith(sign.repeat(3))))
      .map((changed) => withoutComments(changed.map((line) => line.slice(1)).join("\n")))
      .reduce((sum, text) => sum + text.split("\n").filter((line) => line.trim() !== "").length, 0);
  const added = code.filter((file) => /^new file/m.test(file)).length;
  return {
    added: lines("+"),
    removed: lines("-"),
    filesChanged: code.length - added,
    filesAdded: added,
    testsChanged: files.length - code.length,
  };
}

/** What the tests print where they fail; undefined where all is well. */
function problemOf(coordination: string, { name, tests }: Feature): string | undefined {
  const copy = mkdtempSync(join(tmpdir(), "lathe-feature-"));
  try {
    for (const one of ["src", "catalog", "package.json", "tsconfig.json"]) {
      cpSync(join(root, one), join(copy, one), { recursive: true });
    }
    // The other coordination is not to be changed along.
    const include = ["src/parts/storage", ...(coordination === "scheduler" ? ["src/bench/conventional"] : [])];
    writeFileSync(join(copy, "tsconfig.check.json"), JSON.stringify({ extends: "./tsconfig.json", include }));
    symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
    for (const diff of ["shared", `${coordination}-${name}`]) {
      execFileSync("git", ["apply", join(root, folder, `${diff}.diff`)], { cwd: copy, stdio: "pipe" });
    }
    const types = spawnSync("node_modules/.bin/tsc", ["-p", "tsconfig.check.json"], { cwd: copy, encoding: "utf8" });
    if (types.status !== 0) return types.stdout;
    const flags = coordination === "scheduler" ? ["--import", redirection] : [];
    const paths = tests.map((one) => join(engine, one));
    const run = spawnSync(process.execPath, [...flags, "--test", ...paths], { cwd: copy, encoding: "utf8" });
    return run.status === 0 ? undefined : run.stdout;
  } catch (error) {
    return String((error as { stderr?: Buffer }).stderr ?? error);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  for (const feature of features) {
    for (const coordination of coordinations) {
      const problem = problemOf(coordination, feature);
      console.log(`${feature.name} in ${coordination}: ${problem === undefined ? "works" : `FAILS\n${problem}`}`);
      if (problem !== undefined) process.exitCode = 1;
    }
  }
}
