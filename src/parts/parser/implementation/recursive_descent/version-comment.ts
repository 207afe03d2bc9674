/**
 * Comments that MySQL runs: slash-star-bang, with the least version that runs them.
 *
 * Purpose: dumps and drivers wrap in them what older servers would not understand. They count as space here where
 * leaving them out changes nothing that this product could do (table options, hints, SET of what every session has);
 * anything else is refused, so that nothing that a client takes for done is left undone in silence.
 * The one that asks for a moment (WITH CONSISTENT SNAPSHOT) is read as if its words stood there.
 * Algorithm: a version above the one that this server announces makes it a plain comment, as does MariaDB's own form;
 * otherwise its first word decides, and for SET what it sets.
 */
import { notSelected, type SqlError } from "../../../query_processing/executor.ts";

/** The server announces MySQL 8.0.36. */
const announcedVersion = 80_036;

const withoutEffect = new Set([
  "", "CHARACTER", "CHARSET", "COLLATE", "COLUMN_FORMAT", "DEFAULT", "ENGINE", "INVISIBLE", "KEY_BLOCK_SIZE", "LOCAL",
  "PARTITION", "ROW_FORMAT", "SQL_BIG_RESULT", "SQL_BUFFER_RESULT", "SQL_CACHE", "SQL_NO_CACHE", "SQL_SMALL_RESULT",
  "STORAGE", "TABLESPACE", "UNLOCK", "VISIBLE",
]);
const opening = /^\/\*!(\d{5,6})?\s*(\w*)/;
const keysOnOrOff = /^\/\*!\d*\s*ALTER\s+TABLE\s+\S+\s+(DISABLE|ENABLE)\s+KEYS\s*\*\/$/i;
const headCharacters = 512;

export function isVersionComment(sql: string, at: number): boolean {
  return sql.startsWith("/*!", at);
}

const consistentSnapshot = /^\/\*!\d{5}\s*(?=WITH\s+CONSISTENT\s+SNAPSHOT\s*\*\/$)/i;

/** Where the words begin of a comment that is read as if it were none, as those of dumps; -1 for all others. */
export function startOfRead(sql: string, start: number, end: number): number {
  if (end - start > headCharacters) return -1;
  const read = consistentSnapshot.exec(sql.slice(start, end));
  return read === null ? -1 : start + read[0].length;
}

/** Why the comment from `start` to `end` cannot be left out, if it cannot. */
export function refusalOfVersionComment(sql: string, start: number, end: number): SqlError | undefined {
  const text = sql.slice(start, Math.min(end, start + headCharacters));
  const [, version, first] = opening.exec(text) as RegExpExecArray;
  if (version !== undefined && Number(version) > announcedVersion) return undefined;
  const word = first.toUpperCase();
  if (withoutEffect.has(word)) return undefined;
  if (word === "SET" && end - start <= headCharacters) return refusalOfSettings(text);
  if (word === "ALTER" && keysOnOrOff.test(text)) return undefined;
  return notSelected("parser/syntax/query_features/hints", `a comment that runs ${word.slice(0, 32)}`);
}

const encodings = new Set(["UTF8MB4", "UTF8MB3", "UTF8", "BINARY", "ASCII", "DEFAULT", "NULL"]);
const modesThatChangeTexts =
  /\b(NO_BACKSLASH_ESCAPES|ANSI_QUOTES|ANSI|PIPES_AS_CONCAT|DB2|MAXDB|MSSQL|ORACLE|POSTGRESQL)\b/i;
const namedEncoding =
  /\b(?:NAMES|CHARACTER\s+SET|CHARSET|character_set_(?:client|connection|results)\s*:?=)\s*['"]?(\w+)/gi;

/** Settings, as written, that this product cannot honour: how texts are read, and in which encoding. */
export function refusalOfSettings(text: string): SqlError | undefined {
  const mode = modesThatChangeTexts.exec(text)?.[1];
  if (mode !== undefined) {
    return notSelected("architecture/engine_core/system_variables", `the SQL mode ${mode.toUpperCase()}`);
  }
  for (const [, encoding] of text.matchAll(namedEncoding)) {
    if (!encodings.has(encoding.toUpperCase())) return refusalOfEncoding(encoding);
  }
  return undefined;
}

/** Text is UTF-8 in byte order. */
export function refusalOfEncoding(encoding: string): SqlError {
  return notSelected("value_types/string/collation_scope/per_column", `the character set ${encoding.slice(0, 32)}`);
}

/** Whether text in this encoding reads the same as UTF-8, or is bytes. `name` in capitals. */
export function isKnownEncoding(name: string): boolean {
  return encodings.has(name);
}
