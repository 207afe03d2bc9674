/**
 * How large a product is: lines as cloc counts them (without blank lines and comments) of its TypeScript outside
 * `test/`, and what the SpecDB paper counts for databases that serve any workload (its Table 8: server-side lines).
 *
 * Comments are whole lines here, as this library writes them; what follows code on its line is part of the line.
 */
import { scanImports } from "./import-scanner.ts";

/** Server-side lines of code, by the SpecDB paper, Table 8, which counts no RocksDB. */
export const linesElsewhere: readonly (readonly [system: string, lines: number])[] = [
  ["SpecDB", 23_779],
  ["SQLite 3.54.0", 144_325],
  ["DuckDB v1.5.2", 355_541],
  ["PostgreSQL 14.23", 813_802],
  ["MySQL 8.0.45", 838_843],
  ["TiDB", 1_106_256],
  ["MariaDB 13.0.1-gamma", 1_285_857],
  ["ClickHouse 26.4", 1_402_620],
  ["YugabyteDB", 2_232_704],
  ["CockroachDB", 2_660_760],
];

/** Those that a build's one sentence names. */
const linesInSentence = linesElsewhere.filter(([system]) => /^(SQLite|PostgreSQL|MySQL) /.test(system));

const serverPath = /^(main\.js|client\.ts)$|architecture\/networking|serve|security|token/;
const networkModule = /^node:(net|http|https|http2|tls|dgram|dns)\b/;

/** Whether a source of a product is there for a server alone: it listens, speaks a protocol, or asks who is there. */
export function isOfServer(path: string, text: string): boolean {
  return serverPath.test(path) || scanImports(text).some(({ specifier }) => networkModule.test(specifier));
}

export interface SourceSize {
  readonly lines: number;
  readonly bytes: number;
}

/** TypeScript but for types alone and tests, and the one file of JavaScript that loads it. */
function isSource(path: string): boolean {
  if (path.endsWith(".d.ts") || path.startsWith("test/")) return false;
  return path.endsWith(".ts") || path === "main.js";
}

/** Of the generated files by path. */
export function sourceSize(files: ReadonlyMap<string, string>): SourceSize {
  let lines = 0;
  let bytes = 0;
  for (const [path, text] of files) {
    if (!isSource(path)) continue;
    lines += countLines(text);
    bytes += Buffer.byteLength(text);
  }
  return { lines, bytes };
}

/** The part of it that a server needs and a library does not. */
export function serverLines(files: ReadonlyMap<string, string>): number {
  return sourceSize(new Map([...files].filter(([path, text]) => isSource(path) && isOfServer(path, text)))).lines;
}

/** Lines that hold code. */
export function countLines(text: string): number {
  let count = 0;
  let inComment = false;
  for (const line of text.split("\n").map((one) => one.trim())) {
    if (inComment) {
      inComment = !line.includes("*/");
      continue;
    }
    if (line === "" || line.startsWith("//")) continue;
    if (line.startsWith("/*")) {
      inComment = !line.includes("*/");
      continue;
    }
    count++;
  }
  return count;
}

/** `12,345 lines of code, 2 KiB, …`. */
export function sizePhrase({ lines, bytes }: SourceSize): string {
  const size = `${lines.toLocaleString("en-US")} lines of code, ${Math.round(bytes / 1024)} KiB`;
  return `${size}, without blanks, comments and tests`;
}

/** What the paper counts for databases that many know: `SQLite 3.54.0 144,325, …`. */
export function elsewherePhrase(): string {
  const others = linesInSentence.map(([system, count]) => `${system} ${count.toLocaleString("en-US")}`).join(", ");
  return `${others}, and no RocksDB`;
}

/** Both as one sentence. */
export function sizeSentence(size: SourceSize): string {
  return `${sizePhrase(size)} (the SpecDB paper's Table 8 counts ${elsewherePhrase()})`;
}
