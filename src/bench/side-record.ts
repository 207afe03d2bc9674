/** SideRecord: gathers the blocks of one server into what is reported about it. */
import { Histogram } from "../kit/histogram.ts";
import type { BlockResult } from "./driver-protocol.ts";
import type { OperationStatistics, SideSample } from "./measurement.ts";
import type { Drained } from "./server-signals.ts";

const complaintsMax = 5;
const unsettled = "the server's background work was not done within the limit of the drain";

export class SideRecord {
  readonly #latencies = new Map<string, Histogram>();
  readonly #errors = new Map<string, number>();
  readonly #complaints: string[] = [];
  #operations = 0;
  #seconds = 0;
  #verificationFailures = 0;

  add(block: BlockResult): void {
    this.#operations += block.operations;
    this.#seconds += block.seconds;
    this.#verificationFailures += block.verificationFailures;
    for (const [name, snapshot] of Object.entries(block.latencies)) {
      const histogram = Histogram.fromSnapshot(snapshot);
      const known = this.#latencies.get(name);
      if (known === undefined) this.#latencies.set(name, histogram);
      else known.merge(histogram);
    }
    for (const [name, count] of Object.entries(block.errorsByOperation)) {
      this.#errors.set(name, (this.#errors.get(name) ?? 0) + count);
    }
    this.#complaints.push(...block.complaints.slice(0, complaintsMax - this.#complaints.length));
  }

  /** Of the blocks alone, without the drain. */
  get operationsPerSecond(): number {
    return this.#seconds === 0 ? 0 : this.#operations / this.#seconds;
  }

  sample(end: { readonly serverCpuUs: number; readonly residentBytes: number; readonly drained: Drained }): SideSample {
    const all = new Histogram();
    for (const histogram of this.#latencies.values()) all.merge(histogram);
    const seconds = this.#seconds + end.drained.seconds;
    const names = [...new Set([...this.#latencies.keys(), ...this.#errors.keys()])].sort();
    return {
      // Work put off until the load is over is paid for all the same.
      opsPerSecond: seconds === 0 ? 0 : this.#operations / seconds,
      operations: Object.fromEntries(names.map((name) => [name, this.#statistics(name)])),
      p50Us: all.percentile(50) / 1000,
      p99Us: all.percentile(99) / 1000,
      serverCpuUsPerOp: end.serverCpuUs / Math.max(1, this.#operations),
      memoryMiB: end.residentBytes / 2 ** 20,
      drainSeconds: end.drained.seconds,
      errors: [...this.#errors.values()].reduce((sum, count) => sum + count, 0),
      verificationFailures: this.#verificationFailures,
      signals: end.drained.signals,
      complaints: end.drained.settled ? this.#complaints : [...this.#complaints, unsettled],
    };
  }

  #statistics(name: string): OperationStatistics {
    const histogram = this.#latencies.get(name) ?? new Histogram();
    return {
      count: histogram.count,
      errors: this.#errors.get(name) ?? 0,
      meanUs: histogram.mean / 1000,
      p50Us: histogram.percentile(50) / 1000,
      p99Us: histogram.percentile(99) / 1000,
      maxUs: histogram.max / 1000,
    };
  }
}
