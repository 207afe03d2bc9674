/** What a statement stores: the rows of INSERT … VALUES, the columns that UPDATE … SET assigns. */
import type { StatementTokens } from "./statement-tokens.ts";
import type { Verb } from "./statement-verb.ts";

export interface Assigned {
  readonly column: string;
  readonly value: string;
  /** The literal's number; −1 of a parameter. */
  readonly slot: number;
  readonly bytes: number;
  /** A string; undefined of a parameter, of which nobody knows. */
  readonly isText: boolean | undefined;
}

export interface StatementRows {
  /** Of VALUES. */
  readonly rows: number;
  readonly assigned: readonly Assigned[];
}

const listMax = 1000;

/** `main`: where the statement's own verb stands. */
export function rowsOf(tokens: StatementTokens, main: number, verb: Verb): StatementRows {
  if (verb === "update") return { rows: 0, assigned: assignedBySet(tokens, main) };
  if (verb !== "insert" && verb !== "replace") return { rows: 0, assigned: [] };
  const values = Math.max(tokens.find(main, "VALUES"), tokens.find(main, "VALUE"));
  if (values < 0) {
    if (tokens.find(main, "SET") < 0) return { rows: 0, assigned: [] };
    return { rows: 1, assigned: assignedBySet(tokens, main) };
  }
  return rowsOfValues(tokens, values, listedColumns(tokens, tokens.find(main, "INTO"), values));
}

function assignedBySet(tokens: StatementTokens, main: number): Assigned[] {
  const assigned: Assigned[] = [];
  const set = tokens.find(main, "SET");
  for (let at = set + 1; set >= 0 && at < tokens.count; at++) {
    if (tokens.words[at] === "WHERE") break;
    if (tokens.isName(at) && tokens.isMark(at + 1, "=")) assign(tokens, assigned, tokens.name(at), at + 2);
  }
  return assigned;
}

function listedColumns(tokens: StatementTokens, into: number, values: number): string[] {
  let open = into + 2;
  while (open < values && !tokens.isMark(open, "(")) open++;
  const columns: string[] = [];
  for (let at = open + 1; at < values && !tokens.isMark(at, ")"); at++) {
    if (tokens.isName(at)) columns.push(tokens.name(at));
  }
  return columns;
}

/** Columns that are not listed go by their number. */
function rowsOfValues(tokens: StatementTokens, values: number, columns: readonly string[]): StatementRows {
  const assigned: Assigned[] = [];
  let rows = 0;
  let depth = 0;
  let column = 0;
  for (let at = values + 1; at < tokens.count; at++) {
    if (depth === 0 && tokens.isName(at)) break;
    if (tokens.isMark(at, "(")) {
      if (depth++ !== 0) continue;
      rows++;
      column = 0;
      assign(tokens, assigned, columns[0] ?? "0", at + 1);
    } else if (tokens.isMark(at, ")")) depth--;
    else if (depth === 1 && tokens.isMark(at, ",")) {
      column++;
      assign(tokens, assigned, columns[column] ?? String(column), at + 1);
    }
  }
  return { rows, assigned };
}

function assign(tokens: StatementTokens, assigned: Assigned[], column: string, from: number): void {
  let at = from;
  while (tokens.isMark(at, "-") || tokens.words[at]?.startsWith("_")) at++;
  if (assigned.length >= listMax || !tokens.isValue(at)) return;
  const kind = tokens.kinds[at];
  const bytes = valueBytes(tokens.texts[at], tokens.lengths[at], kind === "number");
  const isText = kind === "parameter" ? undefined : kind === "string";
  assigned.push({ column, value: tokens.value(at), slot: tokens.slots[at], bytes, isText });
}

/** Bytes of a literal's value; of one in hexadecimal digits those that it stands for. */
export function valueBytes(text: string, length: number, isNumber: boolean): number {
  return isNumber && text.startsWith("0x") ? (length - 2) / 2 : length;
}
