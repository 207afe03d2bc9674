/** `lathe bench CONTRACT`: drive a product or any MySQL server with a contract's workload. */
import type { Command } from "commander";
import { type BenchRequest, type BenchResult, runBench } from "../../app/bench.ts";
import { runAction, withFrame } from "../command-frame.ts";
import { LatheError } from "../../kit/errors.ts";
import { collect, knobArguments, wholeNumber } from "../knob-arguments.ts";

interface BenchOptions {
  readonly url?: string;
  readonly pid?: number;
  readonly product?: string;
  readonly knob: readonly string[];
  readonly seconds: number;
  readonly warmup: number;
  readonly clients?: number;
  readonly scale?: number;
  readonly seed: number;
  readonly load: boolean;
  readonly json?: boolean;
}

export function registerBench(program: Command): void {
  const command = program
    .command("bench")
    .description("measure the product of a contract, or any server that speaks MySQL")
    .argument("<contract>", "a contract.yaml; its workload is run")
    .option("--url <url>", "mysql://user:password@host:port/database (default: a product built for the contract)")
    .option("--pid <n>", "with --url: the server's process here, for CPU and memory", wholeNumber(1, 2 ** 31))
    .option("--product <dir>", "a product that is there, instead of one built for the contract")
    .option("--knob <name=value>", "a knob value of the product; may be repeated", collect, [])
    .option("--seconds <n>", "measured time", wholeNumber(1, 86_400), 10)
    .option("--warmup <n>", "seconds before", wholeNumber(0, 86_400), 3)
    .option("--clients <n>", "connections (default: as the contract says)", wholeNumber(1, 10_000))
    .option("--scale <n>", "size of the data (default: as the contract says)", wholeNumber(1, 1e12))
    .option("--seed <n>", "seed of keys and values", wholeNumber(0, 2 ** 32 - 1), 1)
    .option("--no-load", "the tables are there already, loaded with the same seed and scale");
  withFrame(command, {
    examples: [
      "lathe bench examples/taobench-o/contract.yaml --seconds 30",
      "lathe bench examples/sndv-kv/contract.yaml --seconds 30",
      "lathe bench contract.yaml --product ./store --knob row_cache.bytes=1048576",
      "lathe bench examples/taobench-o/contract.yaml --url mysql://root:secret@127.0.0.1:3306/test --json",
    ],
    exitCodes: [8, 9, 12],
  }).action((contract: string, options: BenchOptions) =>
    runAction(options.json, async (context) => {
      const result = await runBench(requestOf(contract, options), context);
      return { json: result, text: formatBench(result), exitCode: result.cancelled ? 130 : 0 };
    }),
  );
}

/** Errors: INVALID_ARGUMENT for options that contradict one another. */
function requestOf(contractFile: string, options: BenchOptions): BenchRequest {
  const { url, pid: processId, product: productDirectory, seconds, clients, scale, seed, load } = options;
  if (url !== undefined && (productDirectory !== undefined || options.knob.length > 0)) {
    const message = "--url names a server that runs; --product and --knob are for one to start";
    throw new LatheError("INVALID_ARGUMENT", message);
  }
  if (url === undefined && processId !== undefined) {
    throw new LatheError("INVALID_ARGUMENT", "--pid goes with --url; the process of a product is known");
  }
  const knobs = knobArguments(options.knob);
  const warmupSeconds = options.warmup;
  return {
    contractFile, url, processId, productDirectory, knobs, seconds, warmupSeconds, clients, scale, seed, load,
  };
}

function formatBench(result: BenchResult): string {
  const count = (value: number) => Math.round(value).toLocaleString("en-US");
  const rows = Object.entries(result.operations).map(([name, one]) =>
    [name, ...[one.count, one.errors, one.meanUs, one.p50Us, one.p99Us, one.maxUs].map(count)]);
  const table = [["operation", "count", "errors", "mean µs", "p50 µs", "p99 µs", "max µs"], ...rows];
  const lines = table.map((row) => row.map((cell, at) => (at === 0 ? cell.padEnd(18) : cell.padStart(12))).join(""));
  for (const { records, openMs, writeMs, settleMs, closeMs, reopenMs, readMs, pages } of result.phases ?? []) {
    const times = { open: openMs, write: writeMs, settle: settleMs, close: closeMs, reopen: reopenMs };
    const shown = Object.entries(times).map(([name, ms]) => `${name} ${count(ms)}`).join(", ");
    lines.push(`${count(records).padStart(9)} records, ms: ${shown}, read ${count(readMs)} (${pages} pages)`);
  }
  const rates = Object.entries(result.itemsPerSecond ?? {}).map(([name, rate]) => `${name} ${count(rate)}`);
  if (rates.length > 0) lines.push("", `items/s: ${rates.join(", ")}`);
  else lines.push("", `${count(result.opsPerSecond)} operations/s`);
  if (result.serverCpuUsPerOp !== null) {
    lines.push(`${result.serverCpuUsPerOp.toFixed(1)} µs of server CPU per operation`);
  }
  if (result.memoryMiB !== null) lines.push(`${result.memoryMiB.toFixed(0)} MiB of memory`);
  if (result.errors > 0) lines.push(`${count(result.errors)} operations failed`);
  if (result.verificationFailures > 0) {
    lines.push(`${count(result.verificationFailures)} reads returned values that were never written`);
  }
  lines.push(...result.complaints.map((complaint) => `  ${complaint}`));
  if (result.cancelled) lines.push("stopped before its time");
  if (result.driverBound) lines.push("driver-bound: throughput says nothing here, compare CPU per operation");
  return lines.join("\n");
}
