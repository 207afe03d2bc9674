/**
 * OwnTable: the rows of a table of a contract: row number n gives a key and values that can be verified.
 *
 * Keys: the first key column with room (a number, or text of 6 or more) holds the number, scattered by an odd factor
 * modulo 2^31, so that rows that are used much lie apart; where the key has other columns, the first one holds the
 * number divided by `prefixRows` (8 where no operation says otherwise), the last one the remainder, and the rest are
 * constant, so that so many rows share a prefix.
 *
 * Columns by which operations find rows (`keyed`) hold the row's number, divided by how many rows are to share a value
 * and scattered the same way; they are never updated. All other values follow from key, column and version (0: of the
 * load or of an insert), with h a hash of key and column:
 * | type             | value                                                                           |
 * | int              | (h + version) modulo 2^31                                                       |
 * | bigint           | h · 2^31 + version                                                              |
 * | double           | (h modulo 2^20) · 2^31 + version                                                |
 * | text, 8 or more  | version in base 26, least digit first, in 8 letters; then letters of the state  |
 * | shorter text     | letters of the state; never updated                                             |
 */
import { isWide, keyLetters, keyLettersMax } from "../../contract/key-column.ts";
import { updatableColumns, versionLetters } from "../../contract/own-operations.ts";
import type { Column, TableSpec } from "../../contract/contract.ts";
import { mix } from "../random-stream.ts";
import { fillValue, isValue, valueState } from "../row-value.ts";
import type { RowView } from "../row-view.ts";
import type { CellValue, WorkloadTable } from "../workload.ts";
import { keyHashOfText } from "../ycsb/ycsb-value.ts";

const range = 2 ** 31;
const factor = 0x9e3779b1;
/** factor · inverse = 1 modulo 2^32. */
const inverse = inverseOf(factor);
const textBytesMax = 65_535;
const scratch = Buffer.alloc(textBytesMax);

export interface OwnTableSizes {
  readonly rows: number;
  /** Of the texts of a row, and of the one text that an update sets. */
  readonly rowBytes: number;
  readonly updateBytes: number;
  /** Rows that share all of the key but its last column. */
  readonly prefixRows: number;
  /** Columns by which operations find rows, with the rows that share a value. */
  readonly keyed: ReadonlyMap<string, number>;
  readonly takesShared?: boolean;
}

export class OwnTable implements WorkloadTable {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly primaryKey: readonly string[];
  readonly indexes: WorkloadTable["indexes"];
  readonly rows: number;
  /** Rows are inserted with values of other rows: their numbers do not tell what is in columns that find rows. */
  readonly takesShared: boolean;
  /** Where the key's columns stand, in key order. */
  readonly keyAt: readonly number[];
  /** Columns that an update may set: texts where there are any. */
  readonly updatable: readonly number[];
  readonly #byName: ReadonlyMap<string, number>;
  readonly #wide: number;
  readonly #narrow: number;
  readonly #loadedBytes: readonly number[];
  readonly #updateBytes: number;
  readonly #prefixRows: number;
  /** By column, how many rows share a value; 0 where none finds rows by it. */
  readonly #sharedBy: readonly number[];

  constructor(
    spec: TableSpec, { rows, rowBytes, updateBytes, prefixRows, keyed, takesShared = false }: OwnTableSizes,
  ) {
    this.takesShared = takesShared;
    this.name = spec.name;
    this.columns = spec.columns;
    this.primaryKey = spec.primaryKey;
    this.indexes = spec.indexes;
    this.rows = rows;
    this.#byName = new Map(spec.columns.map(({ name }, at) => [name, at]));
    this.keyAt = spec.primaryKey.map((name) => this.#byName.get(name) as number);
    this.#wide = this.keyAt.find((at) => isWide(spec.columns[at])) as number;
    this.#narrow = this.keyAt.findLast((at) => at !== this.#wide) ?? -1;
    this.#prefixRows = this.#narrow < 0 ? 1 : Math.min(prefixRows, capacityOf(spec.columns[this.#narrow]));
    this.#sharedBy = spec.columns.map(({ name }, at) => (this.keyAt.includes(at) ? 0 : (keyed.get(name) ?? 0)));
    const versioned = updatableColumns(spec, new Set(keyed.keys())).map(({ name }) => this.columnNumber(name));
    const texts = versioned.filter((at) => isText(spec.columns[at]));
    this.updatable = texts.length > 0 ? texts : versioned;
    const share = Math.max(versionLetters, Math.floor(rowBytes / Math.max(1, texts.length)));
    this.#loadedBytes = spec.columns.map((column) => Math.min(column.lengthMax ?? 0, share, textBytesMax));
    this.#updateBytes = Math.max(versionLetters, updateBytes);
  }

  key(number: number): CellValue[] {
    return this.keyAt.map((at) => this.#keyCell(number, at));
  }

  row(number: number): CellValue[] {
    const hash = this.hashOf(this.key(number));
    return this.columns.map((_, at) =>
      this.keyAt.includes(at) || this.#sharedBy[at] > 0 ? this.cell(number, at) : this.value(hash, at, 0));
  }

  /** What a column holds by which rows are found. */
  cell(number: number, at: number): CellValue {
    const shared = this.#sharedBy[at];
    if (shared === 0) return this.#keyCell(number, at);
    return cellOf(this.columns[at], scatter(Math.floor(number / shared)), keyLettersMax);
  }

  /** A new row with values of other rows in columns outside its key. */
  rowWith(number: number, cells: ReadonlyMap<number, CellValue>): CellValue[] {
    return this.row(number).map((cell, at) => cells.get(at) ?? cell);
  }

  /** A new row under a value of another one in its key: `serial` tells it apart in the last column. */
  attachedRow(serial: number, cells: ReadonlyMap<number, CellValue>): CellValue[] {
    const narrow = this.#narrow;
    const own = cellOf(this.columns[narrow], this.#prefixRows + serial, keyLetters);
    const given = (at: number) => cells.get(at) ?? (at === narrow ? own : undefined);
    const hash = this.hashOf(this.keyAt.map((at) => given(at) ?? this.#keyCell(0, at)));
    return this.columns.map((_, at) => {
      const held = this.keyAt.includes(at) || this.#sharedBy[at] > 0;
      return given(at) ?? (held ? this.cell(this.rows + serial, at) : this.value(hash, at, 0));
    });
  }

  /** The number of the group of rows that has a value. */
  groupOf(value: CellValue): number {
    return unscatter(typeof value === "string" ? Number.parseInt(value, 36) : Number(value));
  }

  /** How many rows in a row have the values of these columns in common. */
  rowsSharing(columns: readonly string[]): number {
    const shared = columns.map((name) => {
      const at = this.columnNumber(name);
      if (this.#sharedBy[at] > 0) return this.#sharedBy[at];
      return at === this.#narrow ? 1 : this.#prefixRows;
    });
    return Math.max(1, Math.min(...shared));
  }

  /** The number of the row with a key, or −1 where no row has it. */
  numberOf(key: readonly string[]): number {
    const held = (at: number) => {
      const text = key[this.keyAt.indexOf(at)];
      const { type } = this.columns[at];
      return type === "int" || type === "bigint" ? Number(text) : Number.parseInt(text, 36);
    };
    const whole = unscatter(held(this.#wide));
    const number = this.#narrow < 0 ? whole : whole * this.#prefixRows + held(this.#narrow);
    return this.key(number).every((cell, at) => String(cell) === key[at]) ? number : -1;
  }

  /** Whether operations find rows by a column outside the key. */
  isKeyed(at: number): boolean {
    return this.#sharedBy[at] > 0;
  }

  hashOf(key: readonly CellValue[]): number {
    return keyHashOfText(key.join("/"));
  }

  /** The key of a row in which all columns stand, in the table's order. */
  keyOf(row: RowView): string[] {
    return this.keyAt.map((at) => (row.isInteger[at] === 1 ? String(row.bigint(at)) : row.text(at)));
  }

  columnNumber(name: string): number {
    return this.#byName.get(name) as number;
  }

  value(hash: number, at: number, version: number): CellValue {
    const own = columnHash(hash, at);
    switch (this.columns[at].type) {
      case "int":
        return ((own % range) + version) % range;
      case "bigint":
        return BigInt(own) * BigInt(range) + BigInt(version);
      case "double":
        return (own % 2 ** 20) * range + version;
      default: {
        const length = this.#length(at, version);
        this.#fillText(hash, at, version, scratch, length);
        return scratch.toString("latin1", 0, length);
      }
    }
  }

  /** The version of a column in a row, or −1 where it holds no value of that key and column. */
  versionOf(hash: number, at: number, row: RowView): number {
    if (row.isNull(at)) return -1;
    const own = columnHash(hash, at);
    switch (this.columns[at].type) {
      case "int":
        return row.isInteger[at] === 1 ? (Number(row.bigint(at)) - (own % range) + range) % range : -1;
      case "bigint": {
        const version = row.isInteger[at] === 1 ? row.bigint(at) - BigInt(own) * BigInt(range) : -1n;
        return version >= 0n && version < BigInt(range) ? Number(version) : -1;
      }
      case "double": {
        const version = Number(row.text(at)) - (own % 2 ** 20) * range;
        return Number.isInteger(version) && version >= 0 && version < range ? version : -1;
      }
      default:
        return this.#textVersion(hash, at, row);
    }
  }

  #textVersion(hash: number, at: number, row: RowView): number {
    const start = row.start[at];
    const length = row.length[at];
    const coded = this.#isCoded(at);
    let version = 0;
    if (coded) {
      if (length < versionLetters) return -1;
      for (let digit = versionLetters - 1; digit >= 0; digit--) {
        const letter = row.bytes[start + digit] - 97;
        if (letter < 0 || letter > 25) return -1;
        version = version * 26 + letter;
      }
    }
    if (length !== this.#length(at, version)) return -1;
    const head = coded ? versionLetters : 0;
    const state = valueState(hash, at, 0, version);
    return isValue(state, row.bytes, start + head, length - head) ? version : -1;
  }

  #fillText(hash: number, at: number, version: number, target: Buffer, length: number): void {
    const head = this.#isCoded(at) ? versionLetters : 0;
    let rest = version;
    for (let digit = 0; digit < head; digit++) {
      target[digit] = 97 + (rest % 26);
      rest = Math.floor(rest / 26);
    }
    fillValue(valueState(hash, at, 0, version), target, head, length - head);
  }

  #isCoded(at: number): boolean {
    return (this.columns[at].lengthMax ?? 0) >= versionLetters;
  }

  #length(at: number, version: number): number {
    if (version === 0) return this.#loadedBytes[at];
    return Math.min(this.columns[at].lengthMax ?? 0, this.#updateBytes, textBytesMax);
  }

  #keyCell(number: number, at: number): CellValue {
    const shared = this.#prefixRows;
    if (at === this.#wide) return cellOf(this.columns[at], scatter(Math.floor(number / shared)), keyLettersMax);
    return cellOf(this.columns[at], at === this.#narrow ? number % shared : 0, keyLetters);
  }
}

function cellOf({ type, lengthMax = 0 }: Column, held: number, lettersMax: number): CellValue {
  if (type === "bigint") return BigInt(held);
  if (type === "int" || type === "double") return held;
  return held.toString(36).padStart(Math.min(lengthMax, lettersMax), "0");
}

/** How many rows a column can tell apart. */
function capacityOf({ type, lengthMax = 0 }: Column): number {
  return type === "int" || type === "bigint" ? range : 36 ** Math.min(lengthMax, keyLetters);
}

function isText({ type }: Column): boolean {
  return type === "varchar" || type === "varbinary";
}

function columnHash(hash: number, at: number): number {
  return mix(hash ^ Math.imul(at + 1, 0x9e3779b9));
}

/** One to one on [0, 2^31): the factor is odd. */
function scatter(number: number): number {
  return Math.imul(number, factor) & 0x7fffffff;
}

function unscatter(held: number): number {
  return Math.imul(held, inverse) & 0x7fffffff;
}

/** By Newton's iteration, which doubles the bits that are right: an odd number is its own inverse modulo 8. */
function inverseOf(odd: number): number {
  let found = odd;
  for (let bits = 3; bits < 32; bits *= 2) found = Math.imul(found, 2 - Math.imul(odd, found));
  return found;
}
