/**
 * Tables of sources as tables of a contract: types become the nearest that there are, what a schema has beyond is
 * counted as a need, and every value says where it is from or that it is a guess.
 */
import type { ColumnSample, InferredFamily } from "../../traces/column-sample.ts";
import type { Observation } from "../../traces/observation.ts";
import {
  newColumn, newTable, type TraceColumn, type TraceTable, type TypeFamily,
} from "../../traces/table-definition.ts";
import type { WorkloadObserver } from "../../traces/workload-observer.ts";
import type { NeedsCatalog } from "./needs-catalog.ts";
import { formatWhole, type InferredNeed } from "./workload-mix.ts";

export interface InferredColumn {
  readonly name: string;
  /** In the source. */
  readonly source: string;
  readonly type: "bigint" | "int" | "double" | "varchar" | "varbinary";
  readonly lengthMax?: number | undefined;
  readonly nullable: boolean;
  readonly evidence: string;
  readonly guess: boolean;
}

export interface InferredTable {
  readonly name: string;
  readonly source: TraceTable;
  readonly columns: readonly InferredColumn[];
  readonly primaryKey: readonly string[];
  readonly keyEvidence: string;
  readonly keyGuess: boolean;
  readonly indexes: readonly { readonly name: string; readonly columns: readonly string[] }[];
  readonly rows: number;
  readonly rowsEvidence: string;
  readonly rowsGuess: boolean;
  /** Estimated bytes of a row. */
  readonly rowBytes: number;
}

const declaredLengthMax = 65_535;
const tablesMax = 1000;
const columnsMax = 1000;
const keyColumnsMax = 16;
const indexesMax = 64;

/** Families that have no type of their own in a contract: the type that holds them, and how long it gets. */
const substitutes: Partial<Readonly<Record<TypeFamily, readonly [InferredColumn["type"], number | undefined]>>> = {
  integer32: ["int", undefined], integer64: ["bigint", undefined], unsigned64: ["bigint", undefined],
  double: ["double", undefined], boolean: ["int", undefined], decimal: ["varchar", 40], temporal: ["bigint", undefined],
  interval: ["bigint", undefined], json: ["varchar", declaredLengthMax], uuid: ["varbinary", 16],
  enum: ["varchar", 64], array: ["varbinary", declaredLengthMax], spatial: ["varbinary", declaredLengthMax],
  other: ["varbinary", declaredLengthMax],
};

/** Families that contracts say exactly. */
const exact = new Set<TypeFamily>(["integer32", "integer64", "double", "text", "bytes"]);

/** `leftOut`: gets what a contract has no room for, for people. */
export function inferTables(observation: Observation, leftOut: string[]): InferredTable[] {
  const tables = [...observation.tables.values()];
  const named = new Set(tables.map(({ name }) => name.toLowerCase()));
  const fromLog = observation.workload === undefined ? [] : tablesOfWorkload(observation.workload, named);
  const names = new Names();
  const all = [...tables, ...fromLog];
  const beyond = all.length - tablesMax;
  if (beyond > 0) leftOut.push(`${formatWhole(beyond)} tables beyond the first ${tablesMax}`);
  for (const { name, columns } of all.slice(0, tablesMax)) {
    const { length } = columns;
    if (length > columnsMax) leftOut.push(`${length - columnsMax} columns of ${name} beyond ${columnsMax}`);
  }
  return all.slice(0, tablesMax).map((table) =>
    inferTable(table, names.take(table.name), observation.dialect === "mysql", observation.workload),
  );
}

function inferTable(
  table: TraceTable, name: string, mysql: boolean, workload: WorkloadObserver | undefined,
): InferredTable {
  const names = new Names();
  const columns = table.columns.slice(0, columnsMax).map((column) => ({
    source: column, inferred: inferColumn(column, names.take(column.name), mysql),
  }));
  const nameOf = (source: string) =>
    columns.find((one) => one.source.name.toLowerCase() === source.toLowerCase())?.inferred.name;
  const namesOf = (sources: readonly string[]) => sources.flatMap((source) => nameOf(source) ?? []);
  const key = chooseKey(table, columns.map(({ source }) => source));
  const primaryKey = namesOf(key.columns).slice(0, keyColumnsMax);
  const inferred = columns.map(
    (one) => primaryKey.includes(one.inferred.name) ? { ...one.inferred, nullable: false } : one.inferred
  );
  if (primaryKey.length === 0) {
    const hidden = names.take("row_id");
    primaryKey.push(hidden);
    inferred.unshift(
      { name: hidden, source: "", type: "bigint", nullable: false, evidence: "no column of the source", guess: true }
    );
  }
  const indexNames = new Names();
  const indexes = table.keys
    .filter(({ columns: listed }) => listed !== key.columns)
    .map(({ name: indexName, columns: listed }) => (
      { name: indexNames.take(indexName), columns: [...new Set(namesOf(listed))] }
    ))
    .filter(({ columns: listed }) => listed.length > 0 && listed.length <= keyColumnsMax)
    .slice(0, indexesMax);
  return {
    name, source: table, columns: inferred, primaryKey, keyEvidence: key.evidence, keyGuess: key.guess, indexes,
    ...rowsOf(table, key.columns, workload),
    rowBytes: columns.reduce((sum, { source, inferred: { type } }) => sum + widthOf(source.sample, type), 0),
  };
}

function rowsOf({ name, rows, place }: TraceTable, key: readonly string[], workload: WorkloadObserver | undefined) {
  if (rows > 0) {
    const rowsEvidence = `${formatWhole(rows)} rows counted in ${place.replace(/:\d+$/, "")}`;
    return { rows, rowsEvidence, rowsGuess: false };
  }
  const columns = key.map((column) => column.toLowerCase()).sort().join(",");
  const used = workload?.keys.allOf(`${name.toLowerCase()}|${columns}`)?.use().keys ?? 0;
  if (used === 0) return { rows: 0, rowsEvidence: "no rows in the sources", rowsGuess: true };
  const rowsEvidence = `no rows in the sources; ${formatWhole(used)} different keys were used, there may be more`;
  return { rows: used, rowsEvidence, rowsGuess: true };
}

function widthOf(sample: ColumnSample, type: InferredColumn["type"]): number {
  if (type === "int") return 4;
  return type === "bigint" || type === "double" ? 8 : sample.meanBytes;
}

function inferColumn(column: TraceColumn, name: string, mysql: boolean): InferredColumn {
  const { name: source, sample, declared, nullable } = column;
  const substitute = column.family === "text" || column.family === "bytes" ? undefined : substitutes[column.family];
  const seen = sample.values + sample.nulls;
  const different = `, ${formatWhole(sample.distinct)} different in ${formatWhole(seen)} values`;
  const distinct = sample.values === 0 ? "" : different;
  const from = declared === "" ? `inferred from ${formatWhole(seen)} values` : declared.toUpperCase();
  const renamed = name === column.name ? "" : `; named ${JSON.stringify(column.name)} in the source`;
  if (substitute !== undefined) {
    const [type, fixed] = substitute;
    const boolean = column.family === "boolean" && mysql;
    const guess = !exact.has(column.family) && !boolean;
    const held = guess ? `; kept as ${type}, the nearest type that there is` : "";
    const lengthMax = fixed === undefined ? undefined : Math.max(fixed, Math.min(declaredLengthMax, sample.lengthMax));
    return { name, source, type, lengthMax, nullable, evidence: `${from}${distinct}${held}${renamed}`, guess };
  }
  const type = column.family === "bytes" ? "varbinary" : "varchar";
  const limit = column.lengthMax;
  const lengthMax = Math.min(declaredLengthMax, Math.max(1, limit ?? roundUp(2 * sample.lengthMax)));
  const longest = sample.values === 0 ? "" : `, longest ${formatWhole(sample.lengthMax)} bytes`;
  const open = limit === undefined ? "; twice the longest value, since the source has no limit" : "";
  const cut = limit !== undefined && limit > declaredLengthMax ? `; cut from ${formatWhole(limit)}` : "";
  const guess = limit === undefined || limit > declaredLengthMax || declared === "";
  const evidence = `${from}${distinct}${longest}${open}${cut}${renamed}`;
  return { name, source, type, lengthMax, nullable, evidence, guess };
}

/** 64, 128, 256, … */
function roundUp(bytes: number): number {
  return Math.max(64, 2 ** Math.ceil(Math.log2(Math.max(1, bytes))));
}

function chooseKey(table: TraceTable, columns: readonly TraceColumn[]): {
  columns: readonly string[]; evidence: string; guess: boolean
} {
  if (table.primaryKey.length > 0) {
    const declared = table.columns.some((column) => column.declared !== "");
    const evidence = declared ? `declared in ${table.place}` : "columns that statements name by equality";
    return { columns: table.primaryKey, evidence, guess: !declared };
  }
  const nullable = (name: string) => columns.find(
    (one) => one.name.toLowerCase() === name.toLowerCase()
  )?.nullable ?? true;
  const unique = table.keys.find((key) => key.unique && !key.columns.some(nullable));
  if (unique !== undefined) {
    return {
      columns: unique.columns, evidence: `no primary key; ${unique.name} is unique and never null`, guess: true
    };
  }
  const candidates = columns.filter(({ sample }) => sample.values >= 2 && sample.unique);
  const named = candidates.find(({ name }) => /^(id|.*_id|key|uuid|code)$/i.test(name)) ?? candidates[0];
  if (named !== undefined) {
    const looked = formatWhole(Math.min(named.sample.values, 50_000));
    return { columns: [named.name], evidence: `no key is declared; all of ${looked} values differ`, guess: true };
  }
  return { columns: [], evidence: "no key and no column whose values differ: a number of its own", guess: true };
}

/** Tables that only statements tell of: their columns are those that are compared or stored. */
function tablesOfWorkload(workload: WorkloadObserver, defined: ReadonlySet<string>): TraceTable[] {
  const found = new Map<string, TraceTable>();
  for (const [name, sample] of workload.columns) {
    const dot = name.indexOf(".");
    const tableName = name.slice(0, dot);
    if (defined.has(tableName)) continue;
    let table = found.get(tableName);
    if (table === undefined) found.set(tableName, table = newTable(tableName, "the log"));
    const written = name.slice(dot + 1);
    const column = newColumn(/^\d+$/.test(written) ? `column_${Number(written) + 1}` : written);
    table.columns.push({ ...column, family: familyOfSample(sample.family), nullable: sample.nulls > 0, sample });
  }
  for (const [table, key] of likelyKeys(workload)) {
    const one = found.get(table);
    if (one !== undefined) one.primaryKey = key;
  }
  return [...found.values()];
}

function familyOfSample(family: InferredFamily): TypeFamily {
  return family;
}

/** Per table the columns that most statements name by equality. */
function likelyKeys(workload: WorkloadObserver): Map<string, string[]> {
  const best = new Map<string, { uses: number; columns: string[] }>();
  for (const [name, sketch] of workload.keys.together()) {
    const [table, columns] = name.split("|");
    const { uses } = sketch.use();
    if (uses > (best.get(table)?.uses ?? 0)) best.set(table, { uses, columns: columns.split(",") });
  }
  return new Map([...best].map(([table, { columns }]) => [table, columns]));
}

/** What the schema has that a contract's tables cannot say. */
export function schemaNeeds(observation: Observation, catalog: NeedsCatalog): InferredNeed[] {
  const found = new Map<string, string[]>();
  const add = (kind: string, name: string) => found.set(kind, [...(found.get(kind) ?? []), name]);
  for (const { kind, name } of observation.objects) add(kind, name);
  for (const table of observation.tables.values()) {
    for (const column of table.columns) {
      const native = column.family === "boolean" && observation.dialect === "mysql";
      if (
        column.declared !== "" && !exact.has(column.family) && !native
      ) add(column.family, `${table.name}.${column.name}`);
      if (column.autoIncrement) add("auto_increment", `${table.name}.${column.name}`);
    }
    for (const key of table.keys) if (key.unique) add("unique_key", key.name);
  }
  return [...found].flatMap(([kind, names]) => {
    const need = catalog.schema.get(kind);
    if (need === undefined) return [];
    const listed = [...new Set(names)];
    const shown = listed.slice(0, 5).join(", ") + (listed.length > 5 ? `, ${listed.length - 5} more` : "");
    return [
      { feature: need.feature, statements: 0, because: `the schema has ${need.what} (${listed.length}): ${shown}` }
    ];
  });
}

/** Names as a contract takes them, each once. */
class Names {
  readonly #taken = new Set<string>();

  take(source: string): string {
    const plain = source.replace(/[^A-Za-z0-9_]/g, "_").slice(0, 60);
    const base = /^[A-Za-z_]/.test(plain) ? plain : `_${plain}`;
    let name = base;
    for (let number = 2; this.#taken.has(name.toLowerCase()); number++) name = `${base.slice(0, 56)}_${number}`;
    this.#taken.add(name.toLowerCase());
    return name;
  }
}
