/**
 * Raises a product layer by layer: lay down the files of a layer's parts, run the suites that can run from then on, go
 * on only where all of them pass; at last the wiring, and the tests of the product as a whole.
 *
 * Everything happens in a staging directory; who calls this writes the product when it returns. A suite that passed
 * before with the same bytes is not run again (`suite-record.ts`). One that fails is run once more, alone: a machine
 * under load can make a test miss its time, and a fault in the product fails again. One that did not come to its end is
 * not given its time twice. What passed at the second try is named in the report and not recorded.
 */
import { availableParallelism } from "node:os";
import { LatheError } from "../../kit/errors.ts";
import type { PartDescriptor } from "../part-descriptor.ts";
import type { Plan } from "../plan/plan.ts";
import { type BuildLayer, layOut } from "./build-layer.ts";
import { inStaging, layFiles, packageVersions } from "./staging.ts";
import { suiteKey, type SuiteRecord } from "./suite-record.ts";
import { runSuite, type SuiteResult } from "./suite-run.ts";

export interface RaisedLayer {
  /** From 1; the product as a whole comes after the last. */
  readonly number: number;
  /** `wiring` for the product as a whole. */
  readonly kind: "parts" | "wiring";
  readonly nodes: readonly string[];
  /** Names of the parts that were laid down. */
  readonly parts: readonly string[];
  readonly suitesRun: number;
  /** Suites that passed before with these bytes. */
  readonly suitesKnown: number;
  readonly tests: number;
  readonly ms: number;
}

export interface RaiseReport {
  readonly layers: readonly RaisedLayer[];
  readonly suitesRun: number;
  readonly suitesKnown: number;
  readonly tests: number;
  /** Parts that no suite of their own has held to anything. */
  readonly withoutSuite: readonly string[];
  /** Suites that failed once and passed when they were run alone. */
  readonly unsteady: readonly string[];
  readonly ms: number;
}

export interface RaiseOptions {
  readonly record: SuiteRecord | undefined;
  /** Runs what is in the record, too. */
  readonly runAll: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly suiteTimeoutMs?: number | undefined;
  /** Called after each layer. */
  readonly onLayer?: (layer: RaisedLayer, of: number) => void;
}

export const suiteTimeoutMsDefault = 600_000;

interface Stage {
  readonly number: number;
  readonly kind: RaisedLayer["kind"];
  readonly nodes: readonly string[];
  readonly parts: readonly string[];
  readonly files: readonly string[];
  readonly suites: readonly { readonly file: string; readonly closure: readonly string[] }[];
}

/** Errors: CONSTRAINT with the test that failed; CANCELLED; INVALID_ARGUMENT where parts cannot be laid in layers. */
export async function raiseProduct(
  target: string,
  plan: Pick<Plan, "layers" | "contractNodes">,
  parts: readonly PartDescriptor[],
  files: ReadonlyMap<string, string>,
  options: RaiseOptions,
): Promise<RaiseReport> {
  const startedMs = performance.now();
  const built = layOut(plan, parts, files);
  const stages = stagesOf(built, files);
  const held = new Set(built.flatMap(({ suites }) => suites.map(({ part }) => part)));
  const layers: RaisedLayer[] = [];
  const unsteady: string[] = [];
  await inStaging(target, async ({ directory, temporary }) => {
    const packages = packageVersions();
    for (const stage of stages) {
      layFiles(directory, stage.files, files);
      const layer = await raiseStage(stage, { directory, temporary, packages, files, unsteady, options });
      layers.push(layer);
      options.onLayer?.(layer, stages.length);
    }
  });
  options.record?.prune();
  const sum = (count: (layer: RaisedLayer) => number) => layers.reduce((total, layer) => total + count(layer), 0);
  return {
    layers,
    suitesRun: sum((layer) => layer.suitesRun),
    suitesKnown: sum((layer) => layer.suitesKnown),
    tests: sum((layer) => layer.tests),
    withoutSuite: parts.map(({ name }) => name).filter((name) => !held.has(name)),
    unsteady,
    ms: Math.round(performance.now() - startedMs),
  };
}

/** The layers, and behind them the wiring with the tests of the product as a whole. */
function stagesOf(layers: readonly BuildLayer[], files: ReadonlyMap<string, string>): Stage[] {
  const stages = layers.map((layer): Stage => {
    const files = [...layer.files, ...layer.suites.flatMap(({ closure }) => closure)];
    const parts = layer.parts.map(({ name }) => name);
    return { ...layer, kind: "parts", parts, files: [...new Set(files)] };
  });
  const laid = new Set(stages.flatMap((stage) => stage.files));
  // Tests of the whole may look at every file of the product, so all of them are what they are made of.
  const whole = [...files.keys()].filter((path) => !/^test\/(parts|conformance)\/|^README\.md$/.test(path));
  const suites = whole.filter((path) => /^test\/.*\.test\.ts$/.test(path)).sort();
  const wiring: Stage = {
    number: stages.length + 1,
    kind: "wiring",
    nodes: [],
    parts: [],
    files: [...files.keys()].filter((path) => !laid.has(path)),
    suites: suites.map((file) => ({ file, closure: whole })),
  };
  return [...stages, wiring];
}

interface StageRun {
  readonly directory: string;
  readonly temporary: string;
  readonly packages: string;
  readonly files: ReadonlyMap<string, string>;
  readonly unsteady: string[];
  readonly options: RaiseOptions;
}

async function raiseStage(stage: Stage, run: StageRun): Promise<RaisedLayer> {
  const { record, runAll } = run.options;
  const startedMs = performance.now();
  const waiting: { readonly file: string; readonly key: string }[] = [];
  let tests = 0;
  for (const { file, closure } of stage.suites) {
    const key = suiteKey([...new Set([file, ...closure])], run.files, run.packages);
    const known = runAll ? undefined : record?.find(key);
    if (known === undefined) waiting.push({ file, key });
    else tests += known.tests;
  }
  const suitesRun = waiting.length;
  const failed: { readonly file: string; readonly result: SuiteResult }[] = [];
  const runNext = async () => {
    for (let suite = waiting.shift(); suite !== undefined; suite = waiting.shift()) {
      const result = await runOne(suite.file, run);
      if (result.ok) record?.add(suite.key, { suite: suite.file, tests: result.tests });
      else failed.push({ file: suite.file, result });
      tests += result.tests;
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: Math.min(4, availableParallelism()) }, runNext));
  const rejected = ended.find((one) => one.status === "rejected");
  if (rejected !== undefined) throw rejected.reason;
  for (const { file, result } of failed) {
    const again = result.overdue ? result : await runOne(file, run);
    if (!again.ok) throw failureOf(stage, file, again, run.directory);
    run.unsteady.push(file);
  }
  const { number, kind, nodes, parts } = stage;
  const ms = Math.round(performance.now() - startedMs);
  return { number, kind, nodes, parts, suitesRun, suitesKnown: stage.suites.length - suitesRun, tests, ms };
}

function runOne(file: string, { directory, temporary, options }: StageRun): Promise<SuiteResult> {
  const { signal, suiteTimeoutMs = suiteTimeoutMsDefault } = options;
  return runSuite(directory, file, { signal, timeoutMs: suiteTimeoutMs, temporary });
}

function failureOf({ number, kind, parts }: Stage, suite: string, result: SuiteResult, directory: string): LatheError {
  const { failedTest } = result;
  // Paths as they are in the product: the staging directory is gone when this is read.
  const output = result.output.replaceAll(`${directory}/`, "");
  const where = kind === "wiring" ? "the product as a whole does not stand" : `layer ${number} does not stand`;
  const laid = parts.length === 0 ? "" : ` (${parts.join(", ")})`;
  const shown = output.split("\n").map((line) => `    ${line}`).join("\n");
  const place = failedTest ?? "outside of a test";
  const test = result.overdue ? "it did not end; --suite-timeout gives suites longer" : place;
  const message = `${where}${laid}, and nothing was written:\n  suite  ${suite}\n  test   ${test}\n${shown}`;
  return new LatheError("CONSTRAINT", message, { details: { layer: number, suite, test: failedTest, output } });
}
