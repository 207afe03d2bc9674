/**
 * BulkVerifier: judges pages of grants, which are only ever inserted.
 *
 * Rules:
 *   1. Every row is the record of its number, and of the page's entitlement.
 *   2. Numbers rise from row to row, beginning after the page's start.
 *   3. No record between two rows (nor before the first, nor after the last of a page that is not full) is left out
 *      that was loaded, or whose statement had been acknowledged when the page was asked for.
 * Records of an entitlement are E numbers apart, so a gap is seen without a copy of the data. Memory: a bit per block
 * of records that was inserted.
 */
import type { RowView } from "../row-view.ts";
import type { Floor, Operation, PageStep, ReadStep, ScanStep, Verifier } from "../workload.ts";
import {
  entitlementId,
  entitlementNumber,
  type GrantPools,
  isPayloadOf,
  numberOf,
  principalId,
  principalNumber,
} from "./grant-record.ts";

/** What is known of a page while its rows arrive. */
interface PageFloor {
  /** The record that must come next at the least, if it is there. */
  next: number;
  /** Events before the page was asked for. */
  readonly clock: number;
}

export class BulkVerifier implements Verifier {
  readonly #records: number;
  readonly #pools: GrantPools;
  #clock = 0;
  /** First record of an acknowledged statement of many: when, and how many. */
  readonly #acknowledged = new Map<number, number>();
  #blockRows = 0;
  #last: number;

  constructor(records: number, pools: GrantPools) {
    this.#records = records;
    this.#pools = pools;
    this.#last = records - 1;
  }

  issued(): void {
    this.#clock++;
  }

  acknowledged(operation: Operation): void {
    this.#clock++;
    for (const step of operation.steps) {
      if (step.kind !== "insertRows") continue;
      const first = numberOf(step.rows[0][0] as string);
      this.#blockRows = step.rows.length;
      this.#acknowledged.set(first, this.#clock);
      this.#last = Math.max(this.#last, first + step.rows.length - 1);
    }
  }

  failed(): void {
    this.#clock++;
  }

  floor(step: ReadStep | ScanStep | PageStep): Floor {
    if (step.kind !== "page") return undefined;
    const { entitlements } = this.#pools;
    const entitlement = Number(step.value.slice(step.value.lastIndexOf("-") + 1));
    const after = numberOf(step.after);
    let next = after + 1;
    next += (entitlement - (next % entitlements) + entitlements) % entitlements;
    const floor: PageFloor = { next, clock: this.#clock };
    return floor;
  }

  checkRow(step: ReadStep | ScanStep | PageStep, row: RowView, floor: Floor): string | undefined {
    if (step.kind !== "page") return `grants are read in pages, not by ${step.kind}`;
    if (row.columns !== 4) return `a grant has 4 columns, not ${row.columns}`;
    const page = floor as PageFloor;
    const id = row.text(0);
    const number = numberOf(id);
    if (number < 0) return `"${id.slice(0, 40)}" is no external_id that was ever written`;
    const entitlement = entitlementId(entitlementNumber(number, this.#pools));
    if (row.text(1) !== entitlement || entitlement !== step.value) {
      return `${id} has the entitlement ${row.text(1)} in a page of ${step.value}`;
    }
    if (row.text(2) !== principalId(principalNumber(number, this.#pools))) return `${id} has another principal`;
    if (!isPayloadOf(number, row.bytes, row.start[3], row.length[3])) return `${id} has a payload never written`;
    if (number < page.next) return `${id} came again or out of order`;
    const missing = this.#firstThere(page.next, number - 1, page.clock);
    page.next = number + this.#pools.entitlements;
    return missing === undefined ? undefined : `a page of ${step.value} leaves out record ${missing}`;
  }

  checkMissing(): string | undefined {
    return "grants are read in pages";
  }

  checkPageEnd(step: PageStep | ScanStep, rows: number, floor: Floor): string | undefined {
    if (step.kind !== "page") return "grants are read in pages";
    if (rows >= step.limit) return rows > step.limit ? `a page of ${step.limit} has ${rows} rows` : undefined;
    const page = floor as PageFloor;
    const missing = this.#firstThere(page.next, this.#last, page.clock);
    return missing === undefined ? undefined : `a page of ${step.value} ends before record ${missing}`;
  }

  /** The first record of the entitlement from `from` to `to` that a page asked for at `clock` must have. */
  #firstThere(from: number, to: number, clock: number): number | undefined {
    for (let number = from; number <= to; number += this.#pools.entitlements) {
      if (number < this.#records) return number;
      const first = this.#blockRows === 0 ? -1 : number - ((number - this.#records) % this.#blockRows);
      const at = this.#acknowledged.get(first);
      if (at !== undefined && at <= clock) return number;
    }
    return undefined;
  }
}
