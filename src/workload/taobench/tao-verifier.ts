/**
 * TaoVerifier: judges what a store answers to TAOBench's reads, without a copy of the data.
 *
 * Rules, for a read that was sent when `floor` was the newest timestamp acknowledged for its key (the
 * load's at least):
 *   1. The value is the function of (key, timestamp) that `row-value.ts` defines: wrong rows, torn rows
 *      and invented values fail.
 *   2. The timestamp is not older than the floor: stale reads fail.
 *   3. The timestamp is the load's or one that some client has sent: rows from nowhere fail.
 *   4. A row is missing only if a delete of it was sent, and is there only if none was acknowledged before.
 * Memory: one entry per key that was written since the load.
 */
import type { RowView } from "../row-view.ts";
import { isValue, valueState } from "../row-value.ts";
import type { Floor, Operation, OperationStep, ReadStep, ScanStep, Verifier } from "../workload.ts";
import { loadTimestampOf } from "./tao-edges.ts";
import { valueLength } from "./tao-stream.ts";

/** What is known of a key that was written since the load. */
interface Written {
  newestAcknowledged: bigint;
  newestIssued: bigint;
  deleteIssued: boolean;
  deleteAcknowledged: boolean;
}

interface TaoFloor {
  readonly timestamp: bigint;
  readonly written: Written;
  readonly deleted: boolean;
}

const key64 = new DataView(new ArrayBuffer(8));

export class TaoVerifier implements Verifier {
  readonly #written: Readonly<Record<string, Map<bigint, Written>>> = { objects: new Map(), edges: new Map() };
  readonly #fresh: boolean;

  /** `fresh`: see `Workload.verifier`; where false, rule 3 and the second half of rule 4 do not hold. */
  constructor(fresh = true) {
    this.#fresh = fresh;
  }

  issued(operation: Operation): void {
    if (operation.name.startsWith("READ")) return;
    for (const step of operation.steps) {
      const change = changeOf(step);
      if (change === undefined) continue;
      const map = this.#written[change.table];
      let written = map.get(change.key);
      if (written === undefined) {
        const loaded = loadTimestampOf(change.key);
        written = { newestAcknowledged: loaded, newestIssued: loaded, deleteIssued: false, deleteAcknowledged: false };
        map.set(change.key, written);
      }
      if (change.timestamp > written.newestIssued) written.newestIssued = change.timestamp;
      if (step.kind === "delete") written.deleteIssued = true;
    }
  }

  acknowledged(operation: Operation, changedRows: readonly (number | undefined)[]): void {
    if (operation.name.startsWith("READ")) return;
    operation.steps.forEach((step, index) => {
      const change = changeOf(step);
      if (change === undefined) return;
      const written = this.#written[change.table].get(change.key) as Written;
      if (step.kind === "delete") {
        if ((changedRows[index] ?? 0) > 0) written.deleteAcknowledged = true;
      } else if (change.timestamp > written.newestAcknowledged) {
        written.newestAcknowledged = change.timestamp;
      }
    });
  }

  failed(): void {
    // What was issued stays possible; nothing becomes required.
  }

  floor(step: ReadStep): Floor {
    const written = this.#written[step.table].get(step.key[0] as bigint);
    if (written === undefined) return undefined;
    return { timestamp: written.newestAcknowledged, written, deleted: written.deleteAcknowledged };
  }

  checkRow(step: ReadStep | ScanStep, row: RowView, floor: Floor): string | undefined {
    if (step.kind === "scan") return undefined;
    if (row.columns !== 2 || row.isInteger[0] === 0 || row.isNull(1)) {
      return this.#wrong(step, "has other columns than timestamp and value");
    }
    const key = step.key[0] as bigint;
    key64.setBigInt64(0, key);
    const state = valueState(key64.getInt32(0), key64.getUint32(4), row.high[0], row.low[0]);
    if (row.length[1] !== valueLength || !isValue(state, row.bytes, row.start[1], valueLength)) {
      return this.#wrong(step, `has a value that was never written with timestamp ${row.bigint(0)}`);
    }
    if (floor === undefined) {
      // The usual case: not written since the load when the read was sent. A write may have come between.
      const timestamp = row.bigint(0);
      const newest = this.#written[step.table].get(key)?.newestIssued ?? timestamp;
      const loaded = loadTimestampOf(key);
      const right = timestamp >= loaded && (timestamp <= newest || !this.#fresh);
      return right ? undefined : this.#wrong(step, `has timestamp ${timestamp}`);
    }
    return this.#checkWritten(step, row.bigint(0), floor as TaoFloor);
  }

  checkMissing(step: ReadStep, floor: Floor): string | undefined {
    const written = (floor as TaoFloor | undefined)?.written ?? this.#written[step.table].get(step.key[0] as bigint);
    if (written === undefined ? !this.#fresh : written.deleteIssued) return undefined;
    return this.#wrong(step, "is missing although nobody deleted it");
  }

  #checkWritten(step: ReadStep, timestamp: bigint, floor: TaoFloor): string | undefined {
    if (floor.deleted) return this.#wrong(step, "is there although its delete was acknowledged");
    if (timestamp < floor.timestamp) {
      return this.#wrong(step, `is stale: timestamp ${timestamp}, acknowledged before the read ${floor.timestamp}`);
    }
    if (timestamp > floor.written.newestIssued && this.#fresh) {
      return this.#wrong(step, `has timestamp ${timestamp}, newer than any that was sent`);
    }
    return undefined;
  }

  #wrong(step: ReadStep, what: string): string {
    return `${step.table} row ${step.key.join(",")} ${what}`;
  }
}

function changeOf(step: OperationStep): { table: string; key: bigint; timestamp: bigint } | undefined {
  switch (step.kind) {
    case "insert":
      return { table: step.table, key: step.row[0] as bigint, timestamp: step.row[1] as bigint };
    case "insertEdge":
      return { table: "edges", key: step.row[0] as bigint, timestamp: step.row[3] as bigint };
    case "update":
    case "delete":
      return { table: step.table, key: step.key[0] as bigint, timestamp: step.timestamp };
    default:
      return undefined;
  }
}
