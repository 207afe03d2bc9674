/**
 * KeyValueVerifier: judges reads of a key-value table in which every key stays and values are overwritten.
 *
 * Rules, with a logical clock that ticks at every event of the driver:
 *   1. A value is one of its key (`ycsb-value.ts`, field 0); anything else was never written.
 *   2. No value is stale for its read (`version-history.ts`); of a batch every item counts.
 *   3. Keys are numbered and none is ever deleted: each is there, and a scan has exactly those from its start on, up to
 *   its limit.
 */
import type { RowView } from "../row-view.ts";
import { VersionHistory } from "../version-history.ts";
import type { Floor, Operation, PageStep, PutStep, ReadStep, ScanStep, Verifier } from "../workload.ts";
import { keyHashOfText, versionOf } from "../ycsb/ycsb-value.ts";

/** Of a scan: the number of the key that must come next. */
interface ReadFloor {
  readonly clock: number;
  next: number;
}

export interface KeyValueShape {
  readonly records: number;
  readonly valueLength: number;
  keyOf(number: number): string;
  numberOf(key: string): number;
}

export class KeyValueVerifier implements Verifier {
  readonly #shape: KeyValueShape;
  readonly #fresh: boolean;
  #clock = 0;
  readonly #written = new VersionHistory();

  constructor(shape: KeyValueShape, fresh = true) {
    this.#shape = shape;
    this.#fresh = fresh;
  }

  issued(operation: Operation): void {
    this.#clock++;
    for (const { items, version } of putsOf(operation)) {
      for (const { key } of items) this.#written.issue(key, version, this.#clock);
    }
  }

  acknowledged(operation: Operation): void {
    this.#clock++;
    for (const { items, version } of putsOf(operation)) {
      for (const { key } of items) this.#written.acknowledge(key, version, this.#clock);
    }
  }

  failed(): void {
    this.#clock++;
  }

  floor(step: ReadStep | ScanStep | PageStep): Floor {
    const next = step.kind === "scan" ? this.#shape.numberOf(step.from[0] as string) : 0;
    return { clock: this.#clock, next } satisfies ReadFloor;
  }

  checkRow(step: ReadStep | ScanStep | PageStep, row: RowView, floor: Floor): string | undefined {
    if (step.kind === "page") return "keys are not read by an index";
    const read = floor as ReadFloor;
    const value = row.columns - 1;
    const key = step.kind === "read" ? (step.key[0] as string) : row.text(0);
    if (step.kind === "scan") {
      const wanted = this.#shape.keyOf(read.next++);
      if (key !== wanted) return `a scan has the key ${key.slice(0, 40)} where ${wanted} must come`;
    }
    const { valueLength } = this.#shape;
    const hash = keyHashOfText(key);
    const version = versionOf(hash, 0, row.bytes, row.start[value], row.length[value], valueLength);
    if (version < 0) return `key ${key} has a value that was never written`;
    if (this.#written.mayRead(key, version, read.clock, this.#fresh)) return undefined;
    return `key ${key} has version ${version}, which is stale or was never sent`;
  }

  checkMissing(step: ReadStep): string | undefined {
    return `key ${step.key[0]} is missing although it was loaded`;
  }

  checkPageEnd(step: PageStep | ScanStep, rows: number): string | undefined {
    if (step.kind !== "scan") return "keys are not read by an index";
    const first = this.#shape.numberOf(step.from[0] as string);
    const wanted = Math.min(step.limit, this.#shape.records - first);
    return rows === wanted ? undefined : `a scan from ${step.from[0]} has ${rows} keys instead of ${wanted}`;
  }
}

function putsOf(operation: Operation): PutStep[] {
  return operation.steps.filter((step) => step.kind === "put");
}
