/**
 * ColumnSample: what the values of one column look like, in about 3 KiB, whatever their number.
 *
 * Types of CSV fields are inferred by exclusion: a column is of the narrowest type that every value so far had.
 */
import { DistinctCount, hashText } from "./distinct-count.ts";

const uniqueValuesMax = 50_000;
const int32 = 2n ** 31n;
const int64 = 2n ** 63n;

export type InferredFamily = "boolean" | "integer32" | "integer64" | "double" | "temporal" | "uuid" | "text";

const patterns: readonly (readonly [InferredFamily, RegExp])[] = [
  ["boolean", /^(true|false|t|f|yes|no)$/i],
  ["integer64", /^[+-]?\d{1,19}$/],
  ["double", /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/],
  ["temporal", /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?( ?(Z|UTC|[+-]\d\d:?\d*))?)?$/],
  ["uuid", /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i],
];

export class ColumnSample {
  values = 0;
  nulls = 0;
  bytes = 0;
  lengthMax = 0;
  integerMin: bigint | undefined;
  integerMax: bigint | undefined;
  readonly #distinct = new DistinctCount();
  /** Hashes of values while all differ; gone after the first that comes twice, or when there are too many. */
  #unique: Set<number> | undefined = new Set();
  #repeated = false;
  #leadingZero = false;
  /** The integers' bounds as numbers: exact for what is compared with them. */
  #plainMin = 0;
  #plainMax = -1;
  #families = new Set<InferredFamily>(patterns.map(([family]) => family));

  addNull(): void {
    this.nulls++;
  }

  /** `text` may be the beginning of a longer value of `length` bytes. */
  add(text: string, length: number, inferType: boolean): void {
    this.values++;
    this.bytes += length;
    if (length > this.lengthMax) this.lengthMax = length;
    const hash = hashText(text);
    this.#distinct.add(hash);
    if (this.#unique !== undefined) {
      // 52 bits: that two of 50,000 values share them by chance happens once in three million samples.
      const key = hash * 2 ** 20 + (hashText(`${length}:${text}`) & 0xfffff);
      if (this.#unique.has(key)) {
        this.#repeated = true;
        this.#unique = undefined;
      } else if (this.#unique.size >= uniqueValuesMax) this.#unique = undefined;
      else this.#unique.add(key);
    }
    if (inferType) this.#exclude(text);
  }

  #exclude(text: string): void {
    // Text it is, or a number like those before: what nearly all values are.
    if (this.#families.size === 0) return;
    if (this.#families.has("integer64") && this.values > 1 && this.#isPlainInteger(text)) return;
    for (const [family, pattern] of patterns) {
      if (this.#families.has(family) && !pattern.test(text)) this.#families.delete(family);
    }
    if (!this.#families.has("integer64")) return;
    if (/^[+-]?0\d/.test(text)) this.#leadingZero = true;
    this.#bound(BigInt(text.replace("+", "")));
  }

  /** At most 15 digits without a leading zero, once all families but those of numbers are out. */
  #isPlainInteger(text: string): boolean {
    const { length } = text;
    if (length > 15 || length === 0 || this.#families.size !== 2 || (length > 1 && text[0] === "0")) return false;
    let value = 0;
    for (let at = 0; at < length; at++) {
      const digit = text.charCodeAt(at) - 48;
      if (digit < 0 || digit > 9) return false;
      value = value * 10 + digit;
    }
    if (value < this.#plainMin || value > this.#plainMax) this.#bound(BigInt(value));
    return true;
  }

  #bound(value: bigint): void {
    if (this.integerMin === undefined || value < this.integerMin) this.integerMin = value;
    if (this.integerMax === undefined || value > this.integerMax) this.integerMax = value;
    this.#plainMin = Number(this.integerMin);
    this.#plainMax = Number(this.integerMax);
  }

  get family(): InferredFamily {
    // Numbers with leading zeros are codes: as numbers they would lose them.
    if (this.values === 0 || this.#leadingZero) return "text";
    const [first = "text"] = this.#families;
    if (first !== "integer64") return first;
    const least = this.integerMin ?? 0n;
    const most = this.integerMax ?? 0n;
    if (least >= -int32 && most < int32) return "integer32";
    return least >= -int64 && most < int64 ? "integer64" : "text";
  }

  get distinct(): number {
    return Math.min(this.values, this.#distinct.estimate);
  }

  /** Whether all of the first values differ; how many were looked at is `min(values, 50,000)`. */
  get unique(): boolean {
    return this.values > 0 && !this.#repeated && this.nulls === 0;
  }

  get meanBytes(): number {
    return this.values === 0 ? 0 : this.bytes / this.values;
  }

  static readonly uniqueValuesMax = uniqueValuesMax;
}
