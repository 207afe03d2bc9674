/**
 * An executor for tests and benchmarks that knows a few statements by heart.
 *
 * Its table `rows` has every column type. Each statement is a script: what the sink sees, at once
 * or after a promise.
 */
import { SqlError } from "../../../../query_processing/executor.ts";
import type { Executor, ExecutorSession, PreparedStatement, ResultShape, ResultSink } from "../../../../query_processing/executor.ts";
import type { RowLayout } from "../../../../storage/layout/row-layout.ts";
import type { ColumnValue, Table } from "../../../catalog/table.ts";

export const rowsTable: Table = {
  id: 7,
  name: "rows",
  columns: [
    { name: "id", type: "bigint", nullable: false },
    { name: "timestamp", type: "bigint", nullable: true },
    { name: "value", type: "varchar", lengthMax: 150, nullable: true },
    { name: "score", type: "double", nullable: true },
    { name: "size", type: "int", nullable: true },
    { name: "bytes", type: "varbinary", lengthMax: 100, nullable: true },
  ],
  primaryKey: [0],
};

export const objectsTable: Table = {
  id: 8,
  name: "objects",
  columns: rowsTable.columns.slice(0, 3),
  primaryKey: [0],
};

export const sampleRow: readonly ColumnValue[] = [
  -5n, 1_700_000_000_123_456_789n, "grün 🐘", 0.1, -42, Uint8Array.of(0, 255, 10),
];
export const nullRow: readonly ColumnValue[] = [6n, null, null, null, null, null];

export function shapeOf(table: Table, ordinals: readonly number[], stored = true): ResultShape {
  return {
    columns: ordinals.map((ordinal) => ({ ...table.columns[ordinal], tableName: table.name })),
    stored: stored ? { table, ordinals } : undefined,
  };
}

export interface Script {
  readonly parameterCount?: number;
  readonly shape?: ResultShape;
  run(sink: ResultSink, parameters: readonly ColumnValue[]): Promise<void> | void;
}

export class ScriptedExecutor implements Executor {
  readonly scripts = new Map<string, Script>();
  /** Every statement run, with copies of its parameters. */
  readonly calls: { sql: string; parameters: ColumnValue[] }[] = [];
  readonly #prepared = new WeakMap<PreparedStatement, string>();

  constructor(layout: RowLayout) {
    const all = shapeOf(rowsTable, [0, 1, 2, 3, 4, 5]);
    const rest = shapeOf(rowsTable, [1, 2, 3, 4, 5]);
    const mixed = shapeOf(rowsTable, [5, 0, 3]);
    const plain = shapeOf(rowsTable, [0, 1, 2, 3, 4, 5], false);
    const stored = [sampleRow, nullRow].map((row) => ({
      key: layout.encodeKey(rowsTable, [row[0]]),
      value: layout.encodeValue(rowsTable, row),
    }));
    const selectStored = (shape: ResultShape): Script => ({
      shape,
      run(sink) {
        sink.rows(shape);
        for (const row of stored) sink.storedRow(row.key, row.value);
        sink.end();
      },
    });
    this.scripts.set("select all", selectStored(all));
    this.scripts.set("select rest", selectStored(rest));
    this.scripts.set("select mixed", selectStored(mixed));
    this.scripts.set("select plain", {
      shape: plain,
      run(sink) {
        sink.rows(plain);
        sink.valueRow(sampleRow);
        sink.valueRow(nullRow);
        sink.end();
      },
    });
    this.scripts.set("select later", {
      shape: all,
      async run(sink) {
        await Promise.resolve();
        sink.rows(all);
        for (let i = 0; i < 20; i++) await Promise.resolve();
        sink.storedRow(stored[0].key, stored[0].value);
        sink.end();
      },
    });
    this.scripts.set("update", {
      run: (sink) => sink.done({ affectedRows: 1, matchedRows: 2, info: "Rows matched: 2" }),
    });
    for (const count of [1, 3]) {
      this.scripts.set(`set ${"?, ".repeat(count).slice(0, -2)}`, {
        parameterCount: count,
        run: (sink) => sink.done({ affectedRows: count, matchedRows: count, info: "" }),
      });
    }
    this.scripts.set("fail", {
      run: (sink) => sink.fail(new SqlError("duplicate_key", "Duplicate entry '1' for key 'PRIMARY'")),
    });
    this.scripts.set("silent", { run: () => {} });
  }

  prepare(sql: string): PreparedStatement {
    const script = this.#find(sql);
    const statement = { parameterCount: script.parameterCount ?? 0, shape: script.shape };
    this.#prepared.set(statement, sql);
    return statement;
  }

  execute(
    statement: PreparedStatement,
    parameters: readonly ColumnValue[],
    sink: ResultSink,
  ): Promise<void> | undefined {
    return this.#run(this.#prepared.get(statement) ?? "", parameters, sink);
  }

  query(sql: string, sink: ResultSink): Promise<void> | undefined {
    const parts = sql.split(";").map((part) => part.trim()).filter((part) => part !== "");
    for (let i = 0; i < parts.length; i++) {
      sink.moreResults = i < parts.length - 1;
      const rest = parts.slice(i + 1).join(";");
      const pending = this.#run(parts[i], [], sink);
      if (pending !== undefined) return pending.then(() => this.query(rest, sink));
      const between = rest === "" ? undefined : sink.between?.();
      if (between !== undefined) return between.then((wanted) => (wanted ? this.query(rest, sink) : undefined));
    }
    return undefined;
  }

  openSession(): ExecutorSession {
    return {
      inTransaction: false,
      autocommit: true,
      execute: (statement, parameters, sink) => this.execute(statement, parameters, sink),
      query: (sql, sink) => this.query(sql, sink),
      reset: () => {},
    };
  }

  metrics() {
    return [];
  }

  #run(sql: string, parameters: readonly ColumnValue[], sink: ResultSink): Promise<void> | undefined {
    const script = this.#find(sql);
    this.calls.push({ sql, parameters: parameters.map(copyOf) });
    return script.run(sink, parameters) ?? undefined;
  }

  #find(sql: string): Script {
    const script = this.scripts.get(sql);
    if (script === undefined) throw new SqlError("syntax", `the script has no statement "${sql.slice(0, 40)}"`);
    return script;
  }
}

function copyOf(value: ColumnValue): ColumnValue {
  return value instanceof Uint8Array ? Uint8Array.from(value) : value;
}
