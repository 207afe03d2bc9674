/** What the indexes gate does with a product: random statements on an indexed table, restarts, losses of power. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { KnobValues, OpenProduct, Product, QueryResult } from "../kit/product.ts";
import { SimulatedDisk } from "../simulation/simulated-disk.ts";
import { createSimulatedEnv, seededNumbers, type SimulatedEnv } from "../simulation/simulated-env.ts";
import type { ScenarioOutcome, ScenarioTask } from "./gate-thread.ts";
import { tableNames } from "./table-names.ts";

const dataDirectory = "/data";
/** Few values, so that every read by an index has several rows. */
const labels = ["", "a", "ab", "b", "long-label-with-a-tail", "z"];
const numbers = 5;
const idsMax = 400;
const payloadBytes = 200;
const statementsPerLoss = 40;

export interface IndexesTask extends ScenarioTask {
  readonly statements: number;
  readonly losses: number;
}

interface Row {
  readonly id: string;
  readonly label: string;
  readonly number: number;
}

export async function examineIndexes(task: IndexesTask): Promise<ScenarioOutcome> {
  const { seed, statements, losses } = task;
  const url = pathToFileURL(join(task.productDirectory, "product.ts")).href;
  const { open } = (await import(url)) as { open: OpenProduct };
  const next = seededNumbers(seed);
  const table = tableNames(next)[1];
  const counts = { seed, statements: 0, reads: 0, restarts: 0, losses: 0, duplicates: 0 };
  const start = (disk: SimulatedDisk) => IndexedTable.open(open, task.knobs, seed, disk, table, next, counts);
  const offence = await (async () => {
    const disk = new SimulatedDisk();
    let store = await start(disk);
    await store.create();
    for (let done = 0; done < statements; done++) {
      const wrong = await store.step();
      if (wrong !== undefined) return wrong;
      if (done % Math.ceil(statements / 3) !== Math.ceil(statements / 3) - 1) continue;
      await store.close();
      const { model } = store;
      store = await start(disk);
      store.model = model;
      counts.restarts++;
      const found = (await store.insertKnown()) ?? (await store.compareAll());
      if (found !== undefined) return `after a restart, ${found}`;
    }
    await store.close();
    return loseFrom(disk);
  })().catch((error: Error) => `a statement failed: ${error.message}`);
  if (offence !== undefined) return { verdict: "reject", reason: offence, evidence: counts };
  if (counts.losses < losses / 2) {
    return { verdict: "inconclusive", reason: `only ${counts.losses} of ${losses} runs lost power`, evidence: counts };
  }
  const reason =
    `${counts.statements} statements, ${counts.reads} reads by index, ${counts.restarts} restarts, ${counts.losses} ` +
    `losses of power: entries and rows agree; ${counts.duplicates} duplicates refused`;
  return { verdict: "admit", reason, evidence: counts };

  /** Each loss goes on from where the last one has left the disk. */
  async function loseFrom(first: SimulatedDisk): Promise<string | undefined> {
    let disk = first.crash(next);
    for (let loss = 0; loss < losses; loss++) {
      const at = 1 + Math.floor(next() * 60);
      disk.fault = { call: disk.calls + at, code: "CRASH", persistent: true };
      try {
        const store = await start(disk);
        await store.adopt();
        for (let done = 0; done < statementsPerLoss; done++) {
          const wrong = await store.step();
          if (wrong !== undefined) return wrong;
        }
        await store.close();
      } catch (error) {
        if (!disk.crashed) throw error;
        counts.losses++;
      }
      disk = disk.crash(next);
      const store = await start(disk);
      await store.adopt();
      const found = await store.compareAll();
      if (found !== undefined) return `after a loss of power, ${found}`;
      await store.close();
      disk = disk.crash(next);
    }
    return undefined;
  }
}

class IndexedTable {
  /** Rows by key. */
  model = new Map<string, Row>();
  readonly #env: SimulatedEnv;
  readonly #product: Product;
  readonly #table: string;
  readonly #next: () => number;
  readonly #counts: { statements: number; reads: number; duplicates: number };

  private constructor(
    env: SimulatedEnv, product: Product, table: string, next: () => number,
    counts: { statements: number; reads: number; duplicates: number },
  ) {
    this.#env = env;
    this.#product = product;
    this.#table = table;
    this.#next = next;
    this.#counts = counts;
  }

  static async open(
    open: OpenProduct, knobs: KnobValues, seed: number, disk: SimulatedDisk, table: string, next: () => number,
    counts: { statements: number; reads: number; duplicates: number },
  ): Promise<IndexedTable> {
    const env = createSimulatedEnv({ seed, disk });
    // What a window of losses may take is for the power-loss gate.
    const product = await env.run(open(env, knobs, { dataDirectory, profile: "safe" }));
    return new IndexedTable(env, product, table, next, counts);
  }

  async create(): Promise<void> {
    await this.#run(
      `CREATE TABLE ${this.#table} (id VARCHAR(64) NOT NULL, label VARCHAR(64) NOT NULL, number BIGINT NOT NULL, ` +
        "payload VARCHAR(256), PRIMARY KEY (id), KEY by_label (label), KEY by_number (number, label))",
    );
  }

  /** A statement, and what a read by an index then says. */
  async step(): Promise<string | undefined> {
    this.#counts.statements++;
    const luck = this.#next();
    const wrong =
      luck < 0.4 ? await this.#insert(this.#freshRows(1 + Math.floor(this.#next() * 8)))
      : luck < 0.5 ? await this.insertKnown()
      : luck < 0.8 ? await this.#update()
      : luck < 0.98 ? await this.#delete()
      : await this.#rewrite();
    return wrong ?? this.#readByIndex();
  }

  /** A key that is there, behind some that are not: refused, and nothing of it stays. */
  async insertKnown(): Promise<string | undefined> {
    const known = this.#known();
    return known === undefined ? undefined : this.#insert([...this.#freshRows(2), { ...this.#row(), id: known.id }]);
  }

  /** Takes the rows that are there for the model's. */
  async adopt(): Promise<void> {
    this.model = new Map((await this.#rows("id >= ''")).map((row) => [row.id, row]));
  }

  /** All rows, and for every value of the indexes those that have it. */
  async compareAll(): Promise<string | undefined> {
    const all = await this.#compare("id >= ''", () => true);
    if (all !== undefined) return all;
    for (const label of labels) {
      const found = await this.#compare(`label = '${label}'`, (row) => row.label === label);
      if (found !== undefined) return found;
    }
    for (let number = 0; number < numbers; number++) {
      const found = await this.#compare(`number = ${number}`, (row) => row.number === number);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  close(): Promise<void> {
    return this.#env.run(this.#product.close());
  }

  async #run(sql: string): Promise<QueryResult> {
    const [result] = await this.#env.run(this.#product.query(sql));
    return result;
  }

  /** By key; an index of several columns gives them in an order of its own. */
  async #rows(condition: string): Promise<Row[]> {
    const { rows } = await this.#run(`SELECT id, label, number FROM ${this.#table} WHERE ${condition}`);
    return rows
      .map(([id, label, number]) => ({ id: textOf(id), label: textOf(label), number: Number(number) }))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  async #insert(rows: readonly Row[]): Promise<string | undefined> {
    const tuples = rows.map(({ id, label, number }) => `('${id}', '${label}', ${number}, '${this.#payload()}')`);
    const due = rows.some(({ id }) => this.model.has(id)) || new Set(rows.map(({ id }) => id)).size < rows.length;
    let refused = false;
    try {
      await this.#run(`INSERT INTO ${this.#table} (id, label, number, payload) VALUES ${tuples.join(", ")}`);
    } catch (error) {
      if (!/duplicate/i.test((error as Error).message)) throw error;
      refused = true;
    }
    if (refused && !due) return "an INSERT of new keys was refused as a duplicate";
    if (!refused && due) return "an INSERT of a key that is there was let in";
    if (refused) this.#counts.duplicates++;
    else for (const row of rows) this.model.set(row.id, row);
    return undefined;
  }

  async #update(): Promise<string | undefined> {
    const id = this.#known()?.id ?? this.#row().id;
    const { label, number } = this.#row();
    await this.#run(`UPDATE ${this.#table} SET label = '${label}', number = ${number} WHERE id = '${id}'`);
    if (this.model.has(id)) this.model.set(id, { id, label, number });
    return undefined;
  }

  async #delete(): Promise<string | undefined> {
    const id = this.#known()?.id ?? this.#row().id;
    await this.#run(`DELETE FROM ${this.#table} WHERE id = '${id}'`);
    this.model.delete(id);
    return undefined;
  }

  async #rewrite(): Promise<undefined> {
    await this.#env.run(this.#product.rewrite());
  }

  #readByIndex(): Promise<string | undefined> {
    this.#counts.reads++;
    const { id, label, number } = this.#known() ?? this.#row();
    const luck = this.#next();
    if (luck < 0.4) return this.#compare(`label = '${label}'`, (row) => row.label === label);
    if (luck < 0.6) return this.#compare(`number = ${number}`, (row) => row.number === number);
    if (luck < 0.8) {
      const has = (row: Row) => row.number === number && row.label === label;
      return this.#compare(`number = ${number} AND label = '${label}'`, has);
    }
    return this.#compare(`label = '${label}' AND id > '${id}'`, (row) => row.label === label && row.id > id);
  }

  async #compare(condition: string, has: (row: Row) => boolean): Promise<string | undefined> {
    const found = await this.#rows(condition);
    const due = [...this.model.values()].filter(has).sort((a, b) => (a.id < b.id ? -1 : 1));
    const same = (row: Row, at: number) =>
      row.id === due[at]?.id && row.label === due[at].label && row.number === due[at].number;
    if (found.length === due.length && found.every(same)) return undefined;
    const at = found.findIndex((row, place) => !same(row, place));
    const shown = (row: Row | undefined) => (row === undefined ? "no row" : `(${row.id}, ${row.label}, ${row.number})`);
    const place = at < 0 ? found.length : at;
    return (
      `WHERE ${condition} gives ${found.length} rows where ${due.length} are due; the first to differ is ` +
      `${shown(found[place])} in the place of ${shown(due[place])}`
    );
  }

  #freshRows(count: number): Row[] {
    return Array.from({ length: count }, () => this.#row());
  }

  #row(): Row {
    return {
      id: `id${Math.floor(this.#next() * idsMax).toString().padStart(4, "0")}`,
      label: labels[Math.floor(this.#next() * labels.length)],
      number: Math.floor(this.#next() * numbers),
    };
  }

  #known(): Row | undefined {
    const rows = [...this.model.values()];
    return this.#next() < 0.8 ? rows[Math.floor(this.#next() * rows.length)] : undefined;
  }

  #payload(): string {
    return Math.floor(this.#next() * 2 ** 40).toString(36).repeat(40).slice(0, payloadBytes);
  }
}

function textOf(value: unknown): string {
  return value instanceof Uint8Array ? new TextDecoder().decode(value) : String(value);
}
