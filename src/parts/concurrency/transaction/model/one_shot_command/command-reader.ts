/**
 * CommandReader: the pieces of an encoded command. Every length and count is checked against what is left before
 * anything is allocated for it; see `command-codec.ts` for the layout. Errors: CORRUPTION.
 */
import { ByteReader } from "../../../../../kit/byte-reader.ts";
import { LatheError } from "../../../../../kit/errors.ts";
import type { ColumnValue } from "../../../../architecture/catalog/table.ts";
import type { Comparison, RowPredicate } from "../../command.ts";

export const tagNull = 0;
export const tagBigint = 1;
export const tagDouble = 2;
export const tagText = 3;
export const tagBytes = 4;

/** Their places are their codes: append only. */
export const comparisons: readonly Comparison[] = ["=", "<", "<=", ">", ">=", "<>"];

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const word = new Uint8Array(8);
const wordInt64 = new BigInt64Array(word.buffer);
const wordDouble = new Float64Array(word.buffer);

export class CommandReader extends ByteReader {
  readonly #textAsBytes: boolean;

  constructor(bytes: Uint8Array, textAsBytes: boolean) {
    super(bytes, "a command");
    this.#textAsBytes = textAsBytes;
  }

  /** A count of things that take at least `bytesEach` bytes; refused where they cannot be there. */
  count(bytesEach: number): number {
    const count = this.varint();
    if (count * bytesEach > this.remaining) throw this.corrupt(`${count} things cannot follow`);
    return count;
  }

  text(): string {
    try {
      return decoder.decode(this.lengthPrefixed());
    } catch (cause) {
      throw this.corrupt("text is not UTF-8", cause);
    }
  }

  value(): ColumnValue {
    const tag = this.u8();
    if (tag === tagBigint) {
      this.#word();
      return wordInt64[0];
    }
    if (tag === tagText) return this.#textAsBytes ? this.lengthPrefixed() : this.text();
    if (tag === tagDouble) {
      this.#word();
      return wordDouble[0];
    }
    if (tag === tagNull) return null;
    if (tag === tagBytes) return this.lengthPrefixed();
    throw this.corrupt(`value tag ${tag} is not known`);
  }

  values(count: number): ColumnValue[] {
    const values: ColumnValue[] = [];
    for (let i = 0; i < count; i++) values.push(this.value());
    return values;
  }

  flag(): boolean {
    const byte = this.u8();
    if (byte > 1) throw this.corrupt("a flag is neither 0 nor 1");
    return byte === 1;
  }

  choice<Choice>(choices: readonly Choice[]): Choice {
    const place = this.u8();
    if (place >= choices.length) throw this.corrupt(`choice ${place} is not known`);
    return choices[place];
  }

  predicate(): RowPredicate {
    const tableId = this.varint();
    const keyPrefix = this.values(this.count(1));
    const count = this.count(3);
    const conditions: RowPredicate["conditions"][number][] = [];
    for (let i = 0; i < count; i++) {
      conditions.push({ ordinal: this.varint(), comparison: this.choice(comparisons), value: this.value() });
    }
    return { tableId, keyPrefix, conditions };
  }

  corrupt(why: string, cause?: unknown): LatheError {
    const offset = this.position;
    return new LatheError("CORRUPTION", `a command, byte ${offset}: ${why}`, { cause, details: { offset } });
  }

  #word(): void {
    if (this.remaining < 8) throw this.corrupt("it is too short");
    for (let i = 0; i < 8; i++) word[i] = this.bytes[this.position + i];
    this.position += 8;
  }
}
