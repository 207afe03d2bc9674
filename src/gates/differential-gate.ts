/**
 * Differential gate: random statements go to the product and to a model; every answer must be equal.
 *
 * Steps:
 *   1. Start the product as a process with the candidate's knobs (`shrunk`: with tiny memtables and caches, and
 *      every so many statements a round of a bulk table, so that flushes, compactions and evictions happen
 *      within the run).
 *   2. On two tables (see `table-names.ts`), with values from the seed, 64-bit extremes among them: inserts, multi-row
 *      and conditional inserts, updates, deletes, point and prefix reads, range scans and transactions; compare each
 *      answer.
 *   3. Half way, just after a write that changes something: SIGTERM, start again, compare the whole tables. At the end
 *      compare the whole tables once more.
 * Invariant: a statement that the model accepts and the product refuses, or the other way round, is a rejection.
 * Source: Pebble's metamorphic tests, SQLite's sqllogictest, RocksDB's expected state.
 */
import { seededNumbers } from "../simulation/simulated-env.ts";
import { BulkTable } from "./bulk-table.ts";
import type { Gate, GateSubject, GateVerdict } from "./gate.ts";
import { connectGate, startSubject, type GateConnection, type StatementResult } from "./gate-connection.ts";
import { verdictOf } from "./run-gates.ts";
import { shrunkKnobs } from "./shrunk-knobs.ts";
import { createBulkTable, sqlBulkDoor } from "./sql-bulk-door.ts";
import { TableModel, type ModelRow } from "./table-model.ts";
import { tableNames } from "./table-names.ts";

/** About 300 kB are written per round: a memtable of 1 MiB is full after three of them. */
const statementsPerBulkRound = 25;
const firstTime = 1_000_000_000_000_000_000n;
const extremes = [0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n, 4_294_967_296n];

export function differentialGate(options: { statements: number; shrunk: boolean }): Gate {
  const name = options.shrunk ? "differential-small" : "differential";
  return {
    name,
    description:
      `${options.statements} random statements against an in-memory model` +
      (options.shrunk ? ", with tiny memtables and caches and a restart" : ", with a restart"),
    stage: options.shrunk ? "product" : "candidate",
    timeoutMs: options.shrunk ? 180_000 : 60_000,
    run: (subject) => runDifferential(name, options, subject),
  };
}

async function runDifferential(
  name: string,
  options: { statements: number; shrunk: boolean },
  subject: GateSubject,
): Promise<GateVerdict> {
  const verdict = verdictOf(name, performance.now());
  const knobs = options.shrunk ? shrunkKnobs(subject) : subject.knobs;
  const script = new TwoTables(subject.seed, options.shrunk);
  let server = await startSubject({ ...subject, knobs });
  try {
    let connection = await connectGate(server.endpoint);
    await script.createTables(connection);
    for (let statement = 0; statement < options.statements; statement++) {
      if (subject.signal?.aborted) return verdict.inconclusive("stopped on request");
      if (statement === options.statements >> 1) {
        // The last entry of the log is one whose loss shows.
        const refused = await script.leaveMark(connection);
        if (refused !== undefined) return verdict.reject(`statement ${statement}: ${refused}`, script.evidence());
        await connection.close();
        await server.stop();
        server = await startSubject({ ...subject, knobs });
        connection = await connectGate(server.endpoint);
        const difference = await script.compareAll(connection);
        if (difference !== undefined) return verdict.reject(`after a restart, ${difference}`, script.evidence());
      }
      const difference = await script.step(connection, statement);
      if (difference !== undefined) {
        return verdict.reject(`statement ${statement}: ${difference}`, script.evidence());
      }
    }
    const difference = await script.compareAll(connection);
    if (difference !== undefined) return verdict.reject(`at the end, ${difference}`, script.evidence());
    await connection.close();
    return verdict.admit(
      `${options.statements} statements and ${script.rows} rows equal to the model, across a restart`,
      { seed: subject.seed, statements: options.statements, rows: script.rows, kinds: script.kinds },
    );
  } finally {
    await server.kill();
  }
}

/** The scripts of a table with a benchmark's name, of one with a drawn name and, where wanted, of a bulk table. */
class TwoTables {
  readonly kinds: Record<string, number> = {};
  readonly #scripts: readonly DifferentialScript[];
  readonly #bulk: BulkTable<GateConnection> | undefined;
  readonly #bulkName: string;
  readonly #next: () => number;
  #last: DifferentialScript;

  constructor(seed: number, withBulk: boolean) {
    const next = seededNumbers(seed);
    this.#next = next;
    const names = tableNames(next);
    this.#scripts = names.map((table) => new DifferentialScript(table, next, this.kinds));
    this.#bulkName = `${names[1]}b`;
    this.#bulk = withBulk ? new BulkTable(sqlBulkDoor(this.#bulkName), next) : undefined;
    this.#last = this.#scripts[0];
  }

  get rows(): number {
    return this.#scripts.reduce((sum, { model }) => sum + model.size, this.#bulk?.rows ?? 0);
  }

  evidence(): Record<string, unknown> {
    return { ...this.#last.evidence(), kinds: this.kinds };
  }

  async createTables(connection: GateConnection): Promise<void> {
    const bulk = this.#bulk === undefined ? [] : [createBulkTable(this.#bulkName)];
    for (const createTable of [...this.#scripts.map((script) => script.createTable), ...bulk]) {
      const [result] = await connection.query(createTable);
      if (result?.error !== undefined) throw new Error(`no table: ${result.error.message}`);
    }
  }

  async step(connection: GateConnection, statement: number): Promise<string | undefined> {
    this.#last = this.#scripts[this.#next() < 0.5 ? 0 : 1];
    const bulk = statement % statementsPerBulkRound === 0 ? await this.#bulk?.round(connection) : undefined;
    return bulk ?? this.#last.step(connection);
  }

  leaveMark(connection: GateConnection): Promise<string | undefined> {
    return this.#last.leaveMark(connection);
  }

  async compareAll(connection: GateConnection): Promise<string | undefined> {
    for (const script of this.#scripts) {
      this.#last = script;
      const difference = await script.compareAll(connection);
      if (difference !== undefined) return difference;
    }
    return this.#bulk?.compareAll(connection);
  }
}

/** Random statements on one table, each with what the model says. */
class DifferentialScript {
  readonly model = new TableModel();
  readonly #kinds: Record<string, number>;
  readonly #next: () => number;
  readonly #table: string;
  #clock = firstTime;
  #last = "";

  constructor(table: string, next: () => number, kinds: Record<string, number>) {
    this.#next = next;
    this.#table = table;
    this.#kinds = kinds;
  }

  get createTable(): string {
    return (
      `CREATE TABLE ${this.#table} (id1 BIGINT, id2 BIGINT, type BIGINT, timestamp BIGINT, ` +
      "value VARCHAR(150), PRIMARY KEY (id1, id2, type))"
    );
  }

  evidence(): Record<string, unknown> {
    return { table: this.#table, lastStatement: this.#last.slice(0, 500) };
  }

  async step(connection: GateConnection): Promise<string | undefined> {
    const steps = [
      this.#insert, this.#insertMany, this.#insertConditional, this.#update, this.#update, this.#delete,
      this.#read, this.#read, this.#readPrepared, this.#readPrepared, this.#scanPrefix, this.#scanRange,
      this.#transaction,
    ];
    const step = steps[Math.floor(this.#next() * steps.length)];
    const kind = step.name.replace("#", "");
    this.#kinds[kind] = (this.#kinds[kind] ?? 0) + 1;
    return step.call(this, connection);
  }

  /** Inserts a row that cannot be there yet. */
  async leaveMark(connection: GateConnection): Promise<string | undefined> {
    const row = { ...this.#row(), id1: 1_000_000n + BigInt(this.model.size) };
    const [result] = await this.#run(connection, `INSERT INTO ${this.#table} VALUES ${tuple(row)}`);
    this.model.insert(row);
    return expectAffected(result, 1);
  }

  async compareAll(connection: GateConnection): Promise<string | undefined> {
    const sql =
      `SELECT id1, id2, type, timestamp, value FROM ${this.#table} WHERE (id1, id2, type) >= ` +
      `('${-(2n ** 63n)}','${-(2n ** 63n)}','${-(2n ** 63n)}') ORDER BY id1, id2, type LIMIT 1000000`;
    const [result] = await this.#run(connection, sql);
    return compareRows(result, this.model.sorted());
  }

  #integer(): bigint {
    if (this.#next() < 0.1) return extremes[Math.floor(this.#next() * extremes.length)];
    return BigInt(Math.floor(this.#next() * 24));
  }

  #type(): bigint {
    return BigInt(Math.floor(this.#next() * 4));
  }

  #row(): ModelRow {
    const length = Math.floor(this.#next() * 151);
    const alphabet = "abcdefghijklmnopqrstuvwxyz'\\\"%_ \u00e9";
    let value = "";
    for (let at = 0; at < length; at++) value += alphabet[Math.floor(this.#next() * alphabet.length)];
    return { id1: this.#integer(), id2: this.#integer(), type: this.#type(), timestamp: this.#tick(), value };
  }

  /** Mostly later than all before; some come late, by as much as the whole run. */
  #tick(): bigint {
    this.#clock += BigInt(Math.floor(this.#next() * 100));
    if (this.#next() < 0.7) return this.#clock;
    return this.#clock - BigInt(Math.floor(this.#next() * Number(this.#clock - firstTime)));
  }

  async #run(connection: GateConnection, sql: string): Promise<StatementResult[]> {
    this.#last = sql;
    return connection.query(sql);
  }

  async #insert(connection: GateConnection): Promise<string | undefined> {
    const row = this.#row();
    const [result] = await this.#run(connection, `INSERT INTO ${this.#table} VALUES ${tuple(row)}`);
    return this.model.insert(row) ? expectAffected(result, 1) : expectError(result, 1062);
  }

  async #insertMany(connection: GateConnection): Promise<string | undefined> {
    const rows = Array.from({ length: 2 + Math.floor(this.#next() * 20) }, () => this.#row());
    const keys = new Set(rows.map((row) => `${row.id1},${row.id2},${row.type}`));
    const free = rows.every((row) => this.model.get(row.id1, row.id2, row.type) === undefined);
    const sql = `INSERT INTO ${this.#table} (id1,id2,type,timestamp,value) VALUES ${rows.map(tuple).join(",")}`;
    const [result] = await this.#run(connection, sql);
    if (keys.size < rows.length || !free) return expectError(result, 1062);
    for (const row of rows) this.model.insert(row);
    return expectAffected(result, rows.length);
  }

  async #insertConditional(connection: GateConnection): Promise<string | undefined> {
    const row = { ...this.#row(), type: 3n };
    const { id1, id2 } = row;
    const sql =
      `INSERT INTO ${this.#table} (id1, id2, type, timestamp, value) SELECT ${row.id1}, ${row.id2}, ${row.type}, ` +
      `${row.timestamp}, ${quote(row.value)} WHERE NOT EXISTS (SELECT 1 FROM ${this.#table} WHERE ` +
      `(id1=${id1} AND type=0) OR (id1=${id1} AND type=2) OR (id1=${id1} AND id2=${id2} AND type=1) OR ` +
      `(id1=${id2} AND id2=${id1}))`;
    const [result] = await this.#run(connection, sql);
    const expected = this.model.insertUnlessBlocked(row);
    return expected < 0 ? expectError(result, 1062) : expectAffected(result, expected);
  }

  /** What a write assigns, mostly to a row that is there. */
  #change(): ModelRow {
    const { id1, id2, type } = this.#known() ?? this.#row();
    return { ...this.#row(), id1, id2, type };
  }

  async #update(connection: GateConnection): Promise<string | undefined> {
    const row = this.#change();
    const [result] = await this.#run(connection, this.#updateText(row));
    return expectAffected(result, this.model.update(row.id1, row.id2, row.type, row.timestamp, row.value));
  }

  #updateText(row: ModelRow): string {
    return (
      `UPDATE ${this.#table} SET timestamp=${row.timestamp}, value=${quote(row.value)} WHERE ` +
      `timestamp<${row.timestamp} AND id1=${row.id1} AND id2=${row.id2} AND type=${row.type}`
    );
  }

  async #delete(connection: GateConnection): Promise<string | undefined> {
    const row = this.#change();
    const sql =
      `DELETE FROM ${this.#table} WHERE timestamp<${row.timestamp} AND id1=${row.id1} AND id2=${row.id2} ` +
      `AND type=${row.type}`;
    const [result] = await this.#run(connection, sql);
    return expectAffected(result, this.model.delete(row.id1, row.id2, row.type, row.timestamp));
  }

  #known(): ModelRow | undefined {
    const rows = this.model.sorted();
    return this.#next() < 0.7 && rows.length > 0 ? rows[Math.floor(this.#next() * rows.length)] : undefined;
  }

  async #read(connection: GateConnection): Promise<string | undefined> {
    const key = this.#known() ?? this.#row();
    const sql =
      `SELECT id1, id2, type, timestamp, value FROM ${this.#table} WHERE id1=${key.id1} AND id2=${key.id2} ` +
      `AND type=${key.type}`;
    const [result] = await this.#run(connection, sql);
    const row = this.model.get(key.id1, key.id2, key.type);
    return compareRows(result, row === undefined ? [] : [row]);
  }

  async #readPrepared(connection: GateConnection): Promise<string | undefined> {
    const key = this.#known() ?? this.#row();
    this.#last = `SELECT timestamp, value FROM ${this.#table} WHERE id1=? AND id2=? AND type=?`;
    const result = await connection.execute(this.#last, [key.id1, key.id2, key.type]);
    const row = this.model.get(key.id1, key.id2, key.type);
    if (result.error !== undefined) return `the read failed: ${result.error.message}`;
    const expected = row === undefined ? [] : [[String(row.timestamp), row.value]];
    return equal(result.rows, expected);
  }

  async #scanPrefix(connection: GateConnection): Promise<string | undefined> {
    const id1 = this.#known()?.id1 ?? this.#integer();
    const sql = `SELECT id1, id2, type, timestamp, value FROM ${this.#table} WHERE id1=${id1} ORDER BY id1, id2, type`;
    const [result] = await this.#run(connection, sql);
    return compareRows(result, this.model.sorted().filter((row) => row.id1 === id1));
  }

  async #scanRange(connection: GateConnection): Promise<string | undefined> {
    const [low, high] = [this.#integer(), this.#integer()].sort((a, b) => (a < b ? -1 : 1));
    const limit = 1 + Math.floor(this.#next() * 40);
    const sql =
      `SELECT id1, id2, type, timestamp, value FROM ${this.#table} WHERE (id1, id2, type) > ('${low}','0','0') AND ` +
      `(id1, id2, type) < ('${high}','0','0') ORDER BY id1, id2, type LIMIT ${limit}`;
    const [result] = await this.#run(connection, sql);
    const after = (row: ModelRow, id1: bigint) =>
      row.id1 > id1 || (row.id1 === id1 && (row.id2 > 0n || (row.id2 === 0n && row.type > 0n)));
    const before = (row: ModelRow, id1: bigint) =>
      row.id1 < id1 || (row.id1 === id1 && (row.id2 < 0n || (row.id2 === 0n && row.type < 0n)));
    const expected = this.model.sorted().filter((row) => after(row, low) && before(row, high));
    return compareRows(result, expected.slice(0, limit));
  }

  async #transaction(connection: GateConnection): Promise<string | undefined> {
    const rows = Array.from({ length: 1 + Math.floor(this.#next() * 6) }, () => this.#change());
    const texts = rows.map((row) => this.#updateText(row));
    const results = await this.#run(connection, `START TRANSACTION; ${texts.join("; ")}; COMMIT`);
    for (const [index, row] of rows.entries()) {
      const expected = this.model.update(row.id1, row.id2, row.type, row.timestamp, row.value);
      const difference = expectAffected(results[index + 1], expected);
      if (difference !== undefined) return `in a transaction: ${difference}`;
    }
    return undefined;
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}

function tuple(row: ModelRow): string {
  return `('${row.id1}', ${row.id2}, ${row.type}, ${row.timestamp}, ${quote(row.value)})`;
}

function expectAffected(result: StatementResult | undefined, expected: number): string | undefined {
  if (result === undefined) return "an answer is missing";
  if (result.error !== undefined) return `refused with ${result.error.errno}: ${result.error.message}`;
  return result.affectedRows === expected
    ? undefined
    : `${result.affectedRows} rows affected where the model says ${expected}`;
}

function expectError(result: StatementResult | undefined, errno: number): string | undefined {
  if (result === undefined) return "an answer is missing";
  if (result.error?.errno === errno) return undefined;
  const got = result.error === undefined ? `${result.affectedRows} rows affected` : `error ${result.error.errno}`;
  return `${got} where the model says error ${errno}`;
}

function compareRows(result: StatementResult | undefined, expected: readonly ModelRow[]): string | undefined {
  if (result === undefined) return "an answer is missing";
  if (result.error !== undefined) return `the read failed: ${result.error.message}`;
  return equal(
    result.rows,
    expected.map((row) => [String(row.id1), String(row.id2), String(row.type), String(row.timestamp), row.value]),
  );
}

function equal(rows: readonly (readonly (string | null)[])[], expected: readonly (readonly string[])[]) {
  if (rows.length !== expected.length) return `${rows.length} rows where the model says ${expected.length}`;
  for (const [index, row] of rows.entries()) {
    if (row.some((cell, column) => cell !== expected[index][column])) {
      return `row ${index} is ${JSON.stringify(row)} where the model says ${JSON.stringify(expected[index])}`;
    }
  }
  return undefined;
}
