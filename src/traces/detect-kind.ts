/** Tells of what kind a source is from its first bytes, never from its name. */
import type { SourceKind } from "./observation.ts";

/** Enough for a dump's preamble and a few log entries. */
export const detectBytes = 64 * 1024;

const generalTime = /(\d{6} +\d{1,2}:\d\d:\d\d|\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)|\t)/.source;
const generalCommand = /\t *\d+ (Query|Connect|Prepare|Execute|Quit|Init DB)\b/.source;

const signs: readonly (readonly [SourceKind, RegExp])[] = [
  ["trace", /^\s*\{[^\n]*"(lathe_trace|op)"\s*:/],
  ["postgresql-jsonlog", /^\s*\{[^\n]*"error_severity"\s*:/],
  ["mysql-slow-log", /^# (Time: |User@Host: )/m],
  ["mysql-general-log", new RegExp(`^Time\\s+Id Command\\s+Argument|^${generalTime}${generalCommand}`, "m")],
  ["postgresql-csvlog", /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? [^,]*,("[^"]*")?[^,]*,("[^"]*")?[^,]*,\d+,/],
  ["postgresql-log", /^[^\n]{0,200}\b(LOG|ERROR|STATEMENT|FATAL|DETAIL|WARNING): {2}/m],
  [
    "postgresql-dump",
    /^(-- PostgreSQL database dump|SET statement_timeout|SELECT pg_catalog\.set_config|COPY [^\n]+ FROM stdin;)/m,
  ],
  ["mysql-dump", /^(-- (MySQL|MariaDB) dump|-- phpMyAdmin SQL Dump|\/\*!\d{5} SET|\) ENGINE\s*=)/im],
];

/** Undefined for what is none of these. `text`: the first `detectBytes` of the file. */
export function detectKind(text: string): SourceKind | undefined {
  if (isBinary(text)) return undefined;
  for (const [kind, sign] of signs) if (sign.test(text)) return kind;
  // The first words after comments.
  const begin = text.slice(0, 8000).replace(/--[^\n]*(\n|$)|\/\*[^*]*\*\//g, "").trimStart();
  if (/^(CREATE|INSERT|SET|BEGIN|DROP|PRAGMA|ALTER)\s/i.test(begin)) {
    const postgresql = /\b(bigserial|serial|timestamptz|jsonb|bytea|character varying|nextval)\b|\$\$/i.test(text);
    return postgresql && !text.includes("`") ? "postgresql-dump" : "mysql-dump";
  }
  const [first = "", second = ""] = text.split(/\r?\n/);
  const fields = (line: string) => line.replace(/"([^"]|"")*"/g, "").split(/[,;\t]/).length;
  if (fields(first) > 1 && fields(first) === fields(second) && first.length < 20_000) return "csv";
  return undefined;
}

/** More control characters than a text with a few odd values has. */
export function isBinary(text: string): boolean {
  let control = 0;
  const length = Math.min(text.length, 8192);
  for (let at = 0; at < length; at++) {
    const code = text.charCodeAt(at);
    if (code < 9 || (code > 13 && code < 32 && code !== 27)) control++;
  }
  return control > length / 50;
}
