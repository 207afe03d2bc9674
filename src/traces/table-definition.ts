/** Tables as sources tell of them, with what samples of their rows show. */
import { ColumnSample } from "./column-sample.ts";

export type TypeFamily =
  | "integer32" | "integer64" | "unsigned64" | "double" | "decimal" | "boolean" | "text" | "bytes" | "temporal"
  | "interval" | "json" | "uuid" | "enum" | "array" | "spatial" | "other";

export interface TraceColumn {
  readonly name: string;
  /** As the source writes it; empty where a source declares no types. */
  declared: string;
  family: TypeFamily;
  /** Characters or bytes; undefined where the type has no limit. */
  lengthMax: number | undefined;
  nullable: boolean;
  autoIncrement: boolean;
  readonly sample: ColumnSample;
}

export interface TraceKey {
  readonly name: string;
  readonly columns: readonly string[];
  readonly unique: boolean;
}

export interface TraceTable {
  /** Without its schema. */
  readonly name: string;
  readonly columns: TraceColumn[];
  primaryKey: readonly string[];
  readonly keys: TraceKey[];
  rows: number;
  /** Where the definition comes from, as `dump.sql:12`. */
  readonly place: string;
}

export function newColumn(name: string): TraceColumn {
  return {
    name, declared: "", family: "text", lengthMax: undefined, nullable: true, autoIncrement: false,
    sample: new ColumnSample(),
  };
}

export function newTable(name: string, place: string): TraceTable {
  return { name, columns: [], primaryKey: [], keys: [], rows: 0, place };
}

export function columnOf(table: TraceTable, name: string): TraceColumn | undefined {
  const wanted = name.toLowerCase();
  return table.columns.find((column) => column.name.toLowerCase() === wanted);
}

const families: readonly (readonly [RegExp, TypeFamily])[] = [
  [/\[\]|^_/, "array"],
  [/^(bigint|int8|bigserial|serial8).*unsigned|^serial\b(?=.*mysql)/, "unsigned64"],
  [/^(int|integer|mediumint|int4)\b.*unsigned/, "integer64"],
  [/^(bigint|int8|bigserial|serial8|oid)\b/, "integer64"],
  [/^(tinyint ?\( ?1 ?\)|bool|boolean|bit ?\( ?1 ?\))/, "boolean"],
  [/^(tinyint|smallint|mediumint|int|integer|int2|int4|smallserial|serial|serial2|serial4|year)\b/, "integer32"],
  [/^(decimal|numeric|dec|fixed|money|number)\b/, "decimal"],
  [/^(double|float|float4|float8|real)\b/, "double"],
  [/^(datetime|timestamp|timestamptz|date|time|timetz)\b/, "temporal"],
  [/^interval\b/, "interval"],
  [/^(json|jsonb)\b/, "json"],
  [/^uuid\b/, "uuid"],
  [/^(enum|set)\b/, "enum"],
  [/^(varbinary|binary|blob|tinyblob|mediumblob|longblob|bytea|bit|inet6)\b/, "bytes"],
  [/^(geometry|point|linestring|polygon|multi\w+|box|circle|path|lseg|geography)\b/, "spatial"],
  [/^(char|character|varchar|nchar|nvarchar|bpchar|citext|name|clob|string|(tiny|medium|long)?text)\b/, "text"],
];

/** The family of a declared type in small letters. */
export function familyOf(declared: string): TypeFamily {
  return families.find(([pattern]) => pattern.test(declared))?.[1] ?? "other";
}

const bounded: Readonly<Record<string, number>> = {
  tinytext: 255, tinyblob: 255, text: 65_535, blob: 65_535, mediumtext: 16_777_215, mediumblob: 16_777_215, char: 1,
  character: 1, binary: 1,
};

/** The longest value of a text or binary type; undefined where there is no limit. `text` is bounded in MySQL only. */
export function lengthOf(declared: string, mysql: boolean): number | undefined {
  const sized = /^[a-z ]*?(?:char|character|binary|varying|bit) ?\( ?(\d{1,9}) ?\)/.exec(declared);
  if (sized !== null) return Number(sized[1]);
  const [word = ""] = declared.split(/[ (]/);
  if (!mysql && (word === "text" || word === "blob")) return undefined;
  return bounded[word];
}
