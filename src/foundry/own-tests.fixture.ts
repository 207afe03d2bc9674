/** Runs tests that products carry, of many products in one process, one after another, each from its own files. */
import { spawnSync } from "node:child_process";
import { readReport } from "./construct/suite-run.ts";

/** Files relative to the directory that the products lie in. */
export function runOwnTests(directory: string, files: readonly string[]): ReturnType<typeof readReport> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const flags = ["--test", "--test-isolation=none", "--test-reporter=tap"];
  const run = spawnSync(process.execPath, [...flags, ...files], {
    cwd: directory, env, encoding: "utf8", maxBuffer: 64 << 20,
  });
  return readReport(run.stdout, run.stderr, run.status === 0, `ended with code ${run.status}`);
}
