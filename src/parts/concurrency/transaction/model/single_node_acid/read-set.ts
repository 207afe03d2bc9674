/**
 * ReadSet: what an open transaction has read of the store, as marks to be looked at again at its commit.
 *
 * A key that is read again is the same (reads are of one moment), so it is kept once; so is a range that is read twice
 * in a row, as a statement that counts before it sends does.
 * Rows are counted, so that the transaction can be ended when looking at them again would hold up the log for too long.
 */
import { compareBytes } from "../../../../../kit/compare.ts";
import type { CommandStep, KeyRead, RangeRead } from "../../command.ts";
import { markOf, type RowMark } from "../../row-mark.ts";

export class ReadSet {
  readonly #keys = new Map<string, KeyRead>();
  readonly #ranges: RangeRead[] = [];
  /** Rows and keys that were read, and ranges. */
  count = 0;

  addKey(key: Uint8Array, value: Uint8Array | undefined): void {
    const name = Buffer.from(key.buffer, key.byteOffset, key.length).toString("latin1");
    if (this.#keys.has(name)) return;
    const { low, high, rows } = markOf(key, value);
    this.#keys.set(name, { key: key.slice(), low, high, rows });
    this.count++;
  }

  /** Rows have been counted as they were read. */
  addRange(gte: Uint8Array, lt: Uint8Array, mark: RowMark): void {
    const { low, high, rows } = mark;
    const last = this.#ranges.at(-1);
    const again =
      last !== undefined && mark.equals(last) && compareBytes(last.gte, gte) === 0 && compareBytes(last.lt, lt) === 0;
    if (again) {
      this.count -= rows;
      return;
    }
    this.#ranges.push({ gte, lt, low, high, rows });
    this.count++;
  }

  /** The step that looks at all of it again; undefined where nothing was read. */
  step(): CommandStep | undefined {
    if (this.#keys.size === 0 && this.#ranges.length === 0) return undefined;
    return { kind: "validate", keys: [...this.#keys.values()], ranges: this.#ranges };
  }
}
