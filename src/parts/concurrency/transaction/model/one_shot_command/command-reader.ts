/**
 * CommandReader: the pieces of an encoded command. Every length and count is checked against what is left before
 * anything is allocated for it; see `command-codec.ts` for the layout. Errors: CORRUPTION.
 */
import { ByteReader } from "../../../../../kit/byte-reader.ts";
import { LatheError } from "../../../../../kit/errors.ts";
import type { ColumnValue } from "../../../../architecture/catalog/table.ts";
import type {
  ArithmeticOperator,
  Comparison,
  Expression,
  KeyAlternative,
  KeyLimit,
  RowPredicate,
  RowSelection,
  SortedColumn,
} from "../../command.ts";

export const tagNull = 0;
export const tagBigint = 1;
export const tagDouble = 2;
export const tagText = 3;
export const tagBytes = 4;

export const tagValue = 0;
export const tagColumn = 1;
export const tagInserted = 2;
export const tagOperation = 3;
const expressionDepthMax = 64;

/** Their places are their codes, as those of comparisons: append only. */
export const operators: readonly ArithmeticOperator[] = ["+", "-", "*", "/", "DIV", "%"];
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

  int64(): bigint {
    this.#word();
    return wordInt64[0];
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

  /** A predicate with bounds before it. */
  limitedPredicate(): RowPredicate {
    const count = this.count(2);
    const bounds: KeyLimit[] = [];
    for (let i = 0; i < count; i++) {
      const comparison = this.choice(comparisons);
      if (comparison === "=" || comparison === "<>") throw this.corrupt("a bound is neither above nor below");
      bounds.push({ comparison, values: this.values(this.count(1)) });
    }
    const predicate = this.predicate();
    return bounds.length === 0 ? predicate : { ...predicate, bounds };
  }

  selection(): RowSelection {
    const tableId = this.varint();
    const index = this.varint();
    const reverse = this.flag();
    const order: SortedColumn[] = [];
    const columns = this.count(2);
    for (let i = 0; i < columns; i++) order.push({ ordinal: this.varint(), descending: this.flag() });
    const offset = this.varint();
    const limit = this.varint();
    const alternatives: KeyAlternative[] = [];
    const count = this.count(4);
    for (let i = 0; i < count; i++) {
      const { tableId: of, ...alternative } = this.limitedPredicate();
      if (of !== tableId) throw this.corrupt("alternatives are of two tables");
      alternatives.push(alternative);
    }
    return { tableId, indexId: index === 0 ? undefined : index, alternatives, reverse, order, offset, limit };
  }

  expression(depth = 0): Expression {
    if (depth > expressionDepthMax) throw this.corrupt("an expression is nested too deep");
    const tag = this.u8();
    if (tag === tagValue) return { kind: "value", value: this.value() };
    if (tag === tagColumn) return { kind: "column", ordinal: this.varint() };
    if (tag === tagInserted) return { kind: "inserted", ordinal: this.varint() };
    if (tag !== tagOperation) throw this.corrupt(`expression tag ${tag} is not known`);
    const operator = this.choice(operators);
    const left = this.expression(depth + 1);
    return { kind: "operation", operator, left, right: this.expression(depth + 1) };
  }

  /** The mark of what was read. */
  mark(): { rows: number; low: number; high: number } {
    return { rows: this.varint(), low: this.u32(), high: this.u32() };
  }

  /** A value whose text comes as text in any case, and whose bytes are copies: it outlives the command. */
  plainValue(): ColumnValue {
    const tag = this.bytes[this.position];
    if (tag === tagText) {
      this.u8();
      return this.text();
    }
    const value = this.value();
    return value instanceof Uint8Array ? value.slice() : value;
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
