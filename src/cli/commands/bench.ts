/** `lathe bench CONTRACT`: drive a product or any MySQL server with a contract's workload. */
import type { Command } from "commander";
import { type BenchResult, runBench } from "../../app/bench.ts";
import { runAction, withFrame } from "../command-frame.ts";
import { wholeNumber } from "../knob-arguments.ts";

interface BenchOptions {
  readonly url?: string;
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
    .option("--seconds <n>", "measured time", wholeNumber(1, 86_400), 10)
    .option("--warmup <n>", "seconds before", wholeNumber(0, 86_400), 3)
    .option("--clients <n>", "connections (default: as the contract says)", wholeNumber(1, 10_000))
    .option("--scale <n>", "size of the data (default: as the contract says)", wholeNumber(1, 1e12))
    .option("--seed <n>", "seed of keys and values", wholeNumber(0, 2 ** 32 - 1), 1)
    .option("--no-load", "the tables are there already, loaded with the same seed and scale");
  withFrame(command, {
    examples: [
      "lathe bench examples/taobench-o/contract.yaml --seconds 30",
      "lathe bench examples/taobench-o/contract.yaml --url mysql://root:secret@127.0.0.1:3306/test --json",
    ],
    exitCodes: [8, 9, 12],
  }).action((contract: string, options: BenchOptions) =>
    runAction(options.json, async (context) => {
      const { url, seconds, warmup, clients, scale, seed, load } = options;
      const request = { contractFile: contract, url, seconds, warmupSeconds: warmup, clients, scale, seed, load };
      const result = await runBench(request, context);
      return { json: result, text: formatBench(result) };
    }),
  );
}

function formatBench(result: BenchResult): string {
  const count = (value: number) => Math.round(value).toLocaleString("en-US");
  const rows = Object.entries(result.operations).map(([name, one]) =>
    [name, ...[one.count, one.errors, one.meanUs, one.p50Us, one.p99Us, one.maxUs].map(count)]);
  const table = [["operation", "count", "errors", "mean µs", "p50 µs", "p99 µs", "max µs"], ...rows];
  const lines = table.map((row) => row.map((cell, at) => (at === 0 ? cell.padEnd(18) : cell.padStart(12))).join(""));
  lines.push("", `${count(result.opsPerSecond)} operations/s`);
  if (result.serverCpuUsPerOp !== null) {
    lines.push(`${result.serverCpuUsPerOp.toFixed(1)} µs of server CPU per operation`);
  }
  if (result.memoryMiB !== null) lines.push(`${result.memoryMiB.toFixed(0)} MiB of memory`);
  if (result.driverBound) lines.push("driver-bound: throughput says nothing here, compare CPU per operation");
  return lines.join("\n");
}
