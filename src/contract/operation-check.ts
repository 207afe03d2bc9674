/**
 * What no contract may say of its operations: what they touch must be there, must suit what they do, and is of version
 * 2 of the file.
 *
 * `operation` and `step` see one of them after its own fields were found valid; `targets` sees the whole contract.
 */
import { suggestion } from "../kit/suggestion.ts";
import { findProfile } from "./benchmarks.ts";
import { complain, type Context } from "./cross-check.ts";
import { touchedColumns } from "./shared-columns.ts";

interface SharedFile {
  readonly column: string;
  readonly step: number;
  readonly of?: string | undefined;
}

export interface TargetFile {
  readonly table?: string | undefined;
  readonly key?: readonly string[] | undefined;
  readonly range?: string | undefined;
  readonly rows?: number | undefined;
}

interface OperationFile extends TargetFile {
  readonly name: string;
  readonly distribution: string;
  readonly skew?: number | undefined;
  readonly statements_min?: number | undefined;
  readonly statements_max?: number | undefined;
  readonly steps?: readonly StepFile[] | undefined;
}

interface StepFile extends TargetFile {
  readonly operation: string;
  readonly skew?: number | undefined;
  readonly times?: number | undefined;
  readonly shares?: readonly SharedFile[] | undefined;
}

export function operation(value: OperationFile, context: Context): void {
  if (value.distribution === "zipfian" && value.skew === undefined) {
    complain(context, ["distribution"], "zipfian needs skew, for example 0.99");
  }
  if (value.distribution !== "zipfian" && value.skew !== undefined) {
    complain(context, ["skew"], `a ${value.distribution} distribution has no skew; remove it, or take zipfian`);
  }
  const { statements_min: least, statements_max: most } = value;
  if (least !== undefined && most !== undefined && least > most) {
    complain(context, ["statements_min"], `statements_min ${least} is above statements_max ${most}`);
  }
  if (value.steps === undefined) return target(value.name, value, context);
  if (!value.name.endsWith("TRANSACTION")) {
    complain(context, ["steps"], `${value.name} is one statement; only READTRANSACTION and WRITETRANSACTION have any`);
  }
  if (least !== undefined || most !== undefined) {
    const field = least === undefined ? "statements_max" : "statements_min";
    complain(context, [field], `the steps say how many statements there are; remove ${field}, or the steps`);
  }
  for (const field of ["table", "key", "range", "rows"] as const) {
    if (value[field] !== undefined) complain(context, [field], `each step has its own ${field}; remove it here`);
  }
  if (value.name === "READTRANSACTION") {
    const written = value.steps.findIndex((one) => one.operation !== "READ" && one.operation !== "SCAN");
    if (written >= 0) complain(context, ["steps", written], "a READTRANSACTION only reads; call it WRITETRANSACTION");
  }
}

export function step(value: StepFile, context: Context): void {
  target(value.operation, value, context);
  const { shares, skew, table } = value;
  if (shares === undefined) return;
  if (table === undefined) complain(context, ["shares"], "say with table whose columns these are");
  if (skew !== undefined) complain(context, ["skew"], "which rows these are follows from shares; remove skew");
  const twice = shares.findIndex(({ column }, at) => shares.findIndex((one) => one.column === column) !== at);
  if (twice >= 0) complain(context, ["shares", twice], `${shares[twice].column} is named already`);
}

function target(name: string, value: TargetFile, context: Context): void {
  for (const field of ["key", "range"] as const) {
    if (value[field] === undefined) continue;
    if (value.table === undefined) complain(context, [field], `say with table whose columns these are`);
    else if (name !== "SCAN" && (field === "range" || name !== "READ")) {
      complain(context, [field], `${name} touches rows by their primary key; remove ${field}`);
    }
  }
  if (value.rows !== undefined && name !== "SCAN" && name !== "INSERT") {
    complain(context, ["rows"], `${name} touches one row; only SCAN and INSERT say how many`);
  }
  const twice = value.key?.findIndex((column, at) => value.key?.indexOf(column) !== at || column === value.range) ?? -1;
  if (twice >= 0) complain(context, ["key", twice], `${value.key?.[twice]} is named already`);
}

interface ContractFile {
  readonly version: number;
  readonly data: { readonly tables: readonly TableFile[] };
  readonly workload: {
    readonly benchmark: string;
    readonly profile: string;
    readonly operations?: readonly (TargetFile & { readonly steps?: readonly StepFile[] | undefined })[] | undefined;
  };
}

interface TableFile {
  readonly name: string;
  readonly columns: readonly { readonly name: string }[];
  readonly primary_key: readonly string[];
}

/** What operations touch is there, and the file says that it may be said. */
export function targets({ version, data, workload }: ContractFile, context: Context): void {
  const { benchmark, profile } = workload;
  const tables = data.tables.length > 0 ? data.tables
    : (findProfile(benchmark, profile)?.tables(1) ?? []).map((one) => ({ ...one, primary_key: one.primaryKey }));
  for (const [at, one] of (workload.operations ?? []).entries()) {
    const path = ["workload", "operations", at];
    const field = (["table", "rows", "steps"] as const).find((key) => one[key] !== undefined);
    if (field !== undefined && version < 2) {
      complain(context, [...path, field], "what an operation touches is of version 2; write version: 2");
    }
    known(one, tables, path, context);
    const steps = one.steps ?? [];
    for (const [place, step] of steps.entries()) {
      known(step, tables, [...path, "steps", place], context);
      for (const [number, shared] of (step.shares ?? []).entries()) {
        sharing(shared, place, steps, tables, [...path, "steps", place, "shares", number], context);
      }
    }
  }
}

function known(
  { table, key = [], range }: TargetFile, tables: readonly TableFile[], path: readonly (string | number)[],
  context: Context,
): void {
  if (table === undefined) return;
  const found = tables.find(({ name }) => name === table);
  if (found === undefined) {
    const names = tables.map(({ name }) => name);
    const hint = suggestion(table, names) || `; tables are ${names.slice(0, 20).join(", ")}`;
    return complain(context, [...path, "table"], `${table} is not a table of the contract${hint}`);
  }
  const columns = found.columns.map(({ name }) => name);
  const check = (column: string, place: readonly (string | number)[]) => {
    if (columns.includes(column)) return;
    const hint = suggestion(column, columns) || `; columns are ${columns.slice(0, 20).join(", ")}`;
    complain(context, [...path, ...place], `${column} is not a column of ${table}${hint}`);
  };
  key.forEach((column, at) => check(column, ["key", at]));
  if (range !== undefined) check(range, ["range"]);
}

/** `place`: of the step that shares. */
function sharing(
  { column, step: number, of = column }: SharedFile, place: number, steps: readonly StepFile[],
  tables: readonly TableFile[], path: readonly (string | number)[], context: Context,
): void {
  const step = steps[place];
  const source = steps[number - 1];
  if (number > place + 1 || source === undefined) {
    const most = place === 0 ? "it is the first" : `name one of 1 to ${place}`;
    return complain(context, [...path, "step"], `step ${number} does not come before step ${place + 1}; ${most}`);
  }
  if (source === step && (of !== column || (step.times ?? 1) === 1)) {
    const what = of === column ? "a step of one statement" : `its ${column} and its ${of}`;
    return complain(context, [...path, "step"], `${what} cannot be shared with itself; name an earlier step`);
  }
  if (source.table === undefined) {
    return complain(context, [...path, "step"], `step ${number} names no table, so that nobody knows its columns`);
  }
  const sides = [[step, column, "column"], [source, of, "of"]] as const;
  for (const [one, name, field] of sides) {
    const table = tables.find((some) => some.name === one.table);
    if (table === undefined) continue;
    const place = [...path, field === "of" && of === column ? "column" : field];
    const columns = table.columns.map((some) => some.name);
    const found = touchedColumns(one, { columns: table.columns, primaryKey: table.primary_key });
    if (found.includes(name)) continue;
    if (columns.includes(name)) {
      const why = found.length === 0 ? "finds rows by no value" : `finds rows by ${found.join(", ")}`;
      complain(context, place, `${one.operation} of ${table.name} ${why}, not by ${name}`);
    } else {
      const hint = suggestion(name, columns) || `; columns are ${columns.slice(0, 20).join(", ")}`;
      complain(context, place, `${name} is not a column of ${table.name}${hint}`);
    }
  }
}
