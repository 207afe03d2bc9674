/**
 * Fuzzes for as long as wanted what CI fuzzes for a minute.
 *
 *   node scripts/fuzz.ts --protocol mysql --inputs 10000000 --seed 1 --record examples/bars
 *   node scripts/fuzz.ts --protocol sql --minutes 60 --seed $RANDOM
 *
 * Beside those below, `http` is the HTTP core against a reference that reads conversations at once.
 * Protocols: `mysql` (the MySQL protocol with scripts behind it), `mysql-executor` (with the executor and statements of
 * a grammar), `sql` (the statement parser alone). What is held for every input stands in the fuzzers' headers; here the
 * memory that is left after a collection is compared with what it was after a tenth of the run. A failure names its
 * seed and ends with exit code 1; `--seed` with that number and `--inputs 1` runs its batch again. `--record DIR` adds
 * the run to `fuzz.json` and writes `fuzz.md` from it.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  emptyHttpCounts, fuzzHttp,
} from "../src/parts/architecture/networking/transports/http/http-fuzzer.fixture.ts";
import {
  executorTarget,
} from "../src/parts/architecture/networking/wire_protocols/mysql_classic/executor-fuzz.fixture.ts";
import {
  Choice,
} from "../src/parts/architecture/networking/wire_protocols/mysql_classic/packet-grammar.fixture.ts";
import {
  emptyCounts, type FuzzTarget, inputsPerBatch, ProtocolBatch, scriptedTarget,
} from "../src/parts/architecture/networking/wire_protocols/mysql_classic/protocol-fuzzer.fixture.ts";
import { kvSecondary } from "../src/parts/indexing/equality/kv_secondary/kv-secondary.ts";
import { createParser } from "../src/parts/parser/implementation/recursive_descent/recursive-descent.ts";
import {
  countTokens, emptyParseCounts, fuzzStatement,
} from "../src/parts/parser/implementation/recursive_descent/statement-fuzzer.fixture.ts";

/** What a fuzzer offers: batches by seed, and what has been seen so far. */
interface Fuzzer {
  readonly title: string;
  run(seed: number): Promise<void> | void;
  /** Inputs first; then whatever tells that the inputs reached something. */
  counts(): Readonly<Record<string, number>>;
}

interface FuzzRun {
  readonly protocol: string;
  readonly seedFrom: number;
  readonly seedTo: number;
  readonly seconds: number;
  readonly heapGrowthBytes: number;
  readonly slowestBatchMs: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly failure: string | undefined;
}

const heapGrowthBytesMax = 24 << 20;
const statementsPerBatch = 2000;

function protocolFuzzer(title: string, target: FuzzTarget): Fuzzer {
  const counts = emptyCounts();
  return {
    title,
    run: (seed) => new ProtocolBatch(seed, target, counts, turn).run(inputsPerBatch),
    counts: () => ({ ...counts, seen: counts.seen.size }),
  };
}

function statementFuzzer(): Fuzzer {
  const counts = emptyParseCounts();
  const parser = createParser(kvSecondary.grammar);
  countTokens();
  return {
    title: "the statement parser",
    run(seed) {
      const choice = new Choice(seed);
      for (let i = 0; i < statementsPerBatch; i++) fuzzStatement(parser, choice, counts);
    },
    counts: () => ({ ...counts, seen: counts.seen.size }),
  };
}

function httpFuzzer(): Fuzzer {
  const counts = emptyHttpCounts();
  return {
    title: "HTTP/1.1, against a reference",
    run: (seed) => fuzzHttp(seed, counts),
    counts: () => ({ ...counts }),
  };
}

const fuzzers: Readonly<Record<string, () => Fuzzer>> = {
  mysql: () => protocolFuzzer("the MySQL protocol, scripts behind it", scriptedTarget),
  "mysql-executor": () => protocolFuzzer("the MySQL protocol, the executor behind it", executorTarget),
  sql: statementFuzzer,
  http: httpFuzzer,
};

// Most inputs end in an error; where it was made is of use for those that should not.
Error.stackTraceLimit = 4;
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function heapBytes(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function fuzz(protocol: string, seedFrom: number, inputs: number, minutes: number): Promise<FuzzRun> {
  const fuzzer = fuzzers[protocol]();
  const startedMs = performance.now();
  const endMs = startedMs + minutes * 60_000;
  const tenth = (done: number) => done >= inputs / 10 || performance.now() - startedMs > minutes * 6000;
  let seed = seedFrom;
  let base: number | undefined;
  let slowestBatchMs = 0;
  let failure: string | undefined;
  try {
    for (; fuzzer.counts().inputs < inputs && performance.now() < endMs; seed++) {
      const batchMs = performance.now();
      await fuzzer.run(seed);
      slowestBatchMs = Math.max(slowestBatchMs, performance.now() - batchMs);
      if (base === undefined && tenth(fuzzer.counts().inputs)) base = heapBytes();
      if (seed % 200 === 0) process.stderr.write(`seed ${seed}: ${JSON.stringify(fuzzer.counts())}\n`);
    }
  } catch (thrown) {
    failure = `seed ${seed}: ${(thrown as Error).message}`;
  }
  const heapGrowthBytes = base === undefined ? 0 : heapBytes() - base;
  if (failure === undefined && heapGrowthBytes > heapGrowthBytesMax) {
    failure = `memory grew by ${heapGrowthBytes} bytes after the first tenth`;
  }
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  const counts = fuzzer.counts();
  const slowest = Math.round(slowestBatchMs);
  return { protocol, seedFrom, seedTo: seed, seconds, heapGrowthBytes, slowestBatchMs: slowest, counts, failure };
}

function record(directory: string, run: FuzzRun): void {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, "fuzz.json");
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as FuzzRun[]) : [];
  const runs = [...before, run];
  writeFileSync(file, `${JSON.stringify(runs, undefined, 1)}\n`);
  const rows = runs.map((one) => {
    const { inputs, ...others } = one.counts;
    const seen = Object.entries(others).map(([name, count]) => `${name} ${count.toLocaleString("en")}`).join(", ");
    const grown = (one.heapGrowthBytes / (1 << 20)).toFixed(1);
    const outcome = one.failure ?? "none";
    const what = `${one.protocol} | ${inputs.toLocaleString("en")} | ${one.seedFrom} to ${one.seedTo}`;
    return `| ${what} | ${one.seconds} s | ${seen} | ${grown} MiB | ${outcome} |`;
  });
  const inputs = new Map<string, number>();
  for (const { protocol, counts } of runs) inputs.set(protocol, (inputs.get(protocol) ?? 0) + counts.inputs);
  const sums = Array.from(inputs, ([protocol, count]) => `${protocol} ${count.toLocaleString("en")}`).join(", ");
  writeFileSync(join(directory, "fuzz.md"), [
    "# Fuzzed inputs", "",
    "Written by `node scripts/fuzz.ts --record`. For every input: no crash, no hang, no answer before the login, the",
    "connection in a right state afterwards, everything given back, the neighbour answered as before; for every",
    "text: a statement or an error of SQL, after tokens in proportion to its length. Memory is what is left after a",
    "collection, beside the same after a tenth of the run.", "",
    `Inputs so far: ${sums}.`, "",
    "| protocol | inputs | seeds | time | seen | memory grown | failure |",
    "|---|--:|---|--:|---|--:|---|",
    ...rows, "",
  ].join("\n"));
}

const { values } = parseArgs({
  options: {
    protocol: { type: "string", default: "mysql" },
    inputs: { type: "string" },
    minutes: { type: "string" },
    seed: { type: "string", default: "1" },
    record: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (values.help || !Object.hasOwn(fuzzers, values.protocol)) {
  const names = Object.keys(fuzzers).join("|");
  console.log(`usage: node scripts/fuzz.ts --protocol ${names} [--inputs N] [--minutes M] [--seed S] [--record DIR]`);
  process.exit(values.help ? 0 : 2);
}
const inputsDefault = values.minutes === undefined ? 100_000 : Infinity;
const inputs = values.inputs === undefined ? inputsDefault : Number(values.inputs);
const minutes = values.minutes === undefined ? Infinity : Number(values.minutes);
const run = await fuzz(values.protocol, Number(values.seed), inputs, minutes);
console.log(JSON.stringify(run));
if (values.record !== undefined) record(values.record, run);
process.exit(run.failure === undefined ? 0 : 1);
