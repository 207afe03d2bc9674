/**
 * SIGKILL again and again under writers of a table with two secondary indexes, with files small enough that every life
 * flushes and compacts. After each kill: every acknowledged statement is there, an unacknowledged one whole or absent,
 * and both indexes find exactly the rows; in the files entries and rows are one; backup, verify and scrub find nothing.
 * `LATHE_KILLS` sets how many (default 2), `LATHE_TEST_SEED` what is drawn.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { backUp, verifyBackups } from "../../src/app/backup.ts";
import { buildFromContract } from "../../src/app/build.ts";
import { scrubDirectory } from "../../src/app/scrub.ts";
import { findStore } from "../../src/app/store-directory.ts";
import type { UseCaseContext } from "../../src/app/use-case.ts";
import { createNodeEnv } from "../../src/kit/env/node-env.ts";
import { createCatalog } from "../../src/parts/architecture/catalog/kv_encoded/kv-encoded-catalog.ts";
import { assertEntries } from "../../src/parts/indexing/equality/kv_secondary/entries-judge.fixture.ts";
import { kvSecondary } from "../../src/parts/indexing/equality/kv_secondary/kv-secondary.ts";
import { rowToKv } from "../../src/parts/storage/layout/row_to_kv/row-to-kv.ts";
import {
  openBlackboardEngine,
} from "../../src/parts/storage/storage_model/row/kvlsm/blackboard/blackboard-engine.ts";
import { until } from "../../src/kit/until.fixture.ts";
import { seededNumbers } from "../../src/simulation/seeded-numbers.ts";
import { connectTo, indexedContract, startProduct, withTemporaryDirectory } from "./product-harness.ts";

const kills = Number(process.env.LATHE_KILLS ?? 2);
const seed = Number(process.env.LATHE_TEST_SEED ?? 1);
const context: UseCaseContext = { signal: new AbortController().signal, progress: () => undefined, status: () => undefined };
const next = seededNumbers(seed);
const below = (bound: number) => Math.floor(next() * bound);

type Connection = Awaited<ReturnType<typeof connectTo>>;

/** Columns but the key, as one text. */
type Row = string;

const rowOf = (entitlement: number, principal: number, payload: string): Row => `e${entitlement},p${principal},${payload}`;

/** One client's rows, which no other client touches. */
class Client {
  readonly rows = new Map<string, Row>();
  /** What the statement under way makes of its rows; undefined: deletes it. */
  pending: ReadonlyMap<string, Row | undefined> | undefined = undefined;
  #last = 0;
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  async write(connection: Connection): Promise<void> {
    const present = [...this.rows.keys()];
    const luck = next();
    if (present.length < 20 || luck < 0.4) await this.#insert(connection);
    else if (luck < 0.75) await this.#update(connection, present[below(present.length)]);
    else await this.#delete(connection, present[below(present.length)]);
    for (const [id, row] of this.pending ?? []) {
      if (row === undefined) this.rows.delete(id);
      else this.rows.set(id, row);
    }
    this.pending = undefined;
  }

  async #insert(connection: Connection): Promise<void> {
    const count = 1 + below(60);
    const ids = Array.from({ length: count }, () => `${this.#name}-${++this.#last}`);
    const parts = ids.map((id) => [id, below(12), below(40), "x".repeat(below(250))] as const);
    this.pending = new Map(parts.map(([id, e, p, text]) => [id, rowOf(e, p, text)]));
    const values = parts.map(([id, e, p, text]) => `('${id}','e${e}','p${p}','${text}')`).join(",");
    await connection.query(`INSERT INTO held (external_id, entitlement_id, principal_id, payload) VALUES ${values}`);
  }

  async #update(connection: Connection, id: string): Promise<void> {
    const [, principal, payload] = (this.rows.get(id) as Row).split(",");
    const entitlement = `e${below(12)}`;
    this.pending = new Map([[id, `${entitlement},${principal},${payload}`]]);
    await connection.query(`UPDATE held SET entitlement_id='${entitlement}' WHERE external_id='${id}'`);
  }

  async #delete(connection: Connection, id: string): Promise<void> {
    this.pending = new Map([[id, undefined]]);
    await connection.query(`DELETE FROM held WHERE external_id='${id}'`);
  }

  /** After a kill: the statement that was under way happened as a whole, or did not. */
  decide(there: ReadonlyMap<string, Row>): void {
    const { pending } = this;
    this.pending = undefined;
    if (pending === undefined) return;
    const isAfter = [...pending].every(([id, row]) => there.get(id) === row);
    const isBefore = [...pending.keys()].every((id) => there.get(id) === this.rows.get(id));
    assert.ok(isAfter || isBefore, `the statement on ${[...pending.keys()].join(" ")} is half there`);
    for (const [id, row] of isAfter ? pending : []) {
      if (row === undefined) this.rows.delete(id);
      else this.rows.set(id, row);
    }
  }
}

interface ReadRow {
  readonly external_id: string;
  readonly entitlement_id: string;
  readonly principal_id: string;
  readonly payload: string;
}

async function query<Answer>(connection: Connection, sql: string): Promise<Answer[]> {
  const [rows] = await connection.query(sql);
  return rows as Answer[];
}

async function compare(connection: Connection, clients: readonly Client[]): Promise<number> {
  const all = await query<ReadRow>(connection, "SELECT external_id, entitlement_id, principal_id, payload FROM held");
  const there = new Map(
    all.map((row) => [row.external_id, `${row.entitlement_id},${row.principal_id},${row.payload}`]),
  );
  assert.equal(there.size, all.length, "every row is read once");
  for (const client of clients) client.decide(there);
  const due = new Map(clients.flatMap(({ rows }) => [...rows]));
  assert.deepEqual([...there].sort(), [...due].sort());
  const [{ count }] = await query<{ count: string }>(connection, "SELECT COUNT(*) AS count FROM held");
  assert.equal(Number(count), due.size);
  for (const [column, field, values] of [["entitlement_id", 0, 12], ["principal_id", 1, 40]] as const) {
    for (let number = 0; number < values; number++) {
      const value = `${column[0]}${number}`;
      const sql = `SELECT external_id FROM held WHERE ${column}='${value}'`;
      const found = (await query<ReadRow>(connection, sql)).map(({ external_id: id }) => id).sort();
      const expected = [...due].filter(([, row]) => row.split(",")[field] === value).map(([id]) => id).sort();
      assert.deepEqual(found, expected, `${column} = ${value}`);
    }
  }
  return due.size;
}

/** In the files, without the server: the entries are those of the rows. */
async function judgeFiles(data: string): Promise<number> {
  const env = createNodeEnv({ logLevel: "error" });
  const { engine: directory, selectionHash } = findStore(data);
  const engine = await openBlackboardEngine(env, { directory, selectionHash });
  const table = createCatalog({ engine, layout: rowToKv, indexes: kvSecondary }).find("held");
  assert.ok(table !== undefined && table.indexes?.length === 2);
  const entries = assertEntries(engine, table);
  await engine.close();
  await env.threads.close();
  return entries;
}

test(`${kills} kills under writers of an indexed table (seed ${seed})`, () =>
  withTemporaryDirectory(async (directory) => {
    const product = join(directory, "product");
    const data = join(directory, "data");
    const contractFile = join(directory, "contract.yaml");
    writeFileSync(contractFile, indexedContract("one_shot"));
    buildFromContract({ contractFile, directory: product });
    const knobs = ["lsm.memtable_bytes=1048576", "lsm.l0_compaction_trigger=2", "lsm.compression=zlib"];
    const args = ["--data", data, ...knobs.flatMap((knob) => ["--knob", knob])];
    const clients = Array.from({ length: 8 }, (_, at) => new Client(`c${at}`));
    for (let kill = 0; kill <= kills; kill++) {
      const server = await startProduct(product, args);
      const first = await connectTo(server);
      if (kill === 0) {
        await first.query(
          "CREATE TABLE held (external_id VARCHAR(64) PRIMARY KEY, entitlement_id VARCHAR(64), principal_id VARCHAR(64), " +
            "payload VARCHAR(256), KEY by_entitlement (entitlement_id), KEY by_principal (principal_id))",
        );
      }
      const rows = await compare(first, clients);
      if (kill === kills) {
        assert.ok(rows > 100, `${rows} rows`);
        first.destroy();
        await server.end("SIGTERM");
        break;
      }
      const connections = await Promise.all(clients.map(() => connectTo(server)));
      const writes = clients.map(() => 0);
      for (const connection of connections) connection.on("error", () => undefined);
      let alive = true;
      const writers = clients.map(async (client, at) => {
        for (; alive; writes[at]++) await client.write(connections[at]);
      });
      const ended = Promise.allSettled(writers);
      await new Promise((resolve) => setTimeout(resolve, 300 + below(1500)));
      await until("some writes of each client", () => writes.every((count) => count >= 3));
      const killed = server.end("SIGKILL");
      alive = false;
      await killed;
      for (const end of await ended) {
        // What the server refused is no loss of the connection.
        const refused = end.status === "rejected" && "sqlState" in (end.reason as Error);
        assert.ok(!refused, String((end as PromiseRejectedResult).reason));
      }
      for (const connection of [first, ...connections]) connection.destroy();
    }
    assert.ok((await judgeFiles(data)) > 0);
    const backups = join(directory, "backups");
    await backUp(data, backups, context);
    const verified = await verifyBackups(backups, undefined, context);
    assert.deepEqual(verified.backups.map(({ problems }) => problems), [[]]);
    assert.ok((await judgeFiles(join(backups, verified.backups[0].id, "data"))) > 0);
    assert.equal((await scrubDirectory(data, context)).damagedFiles, 0);
  }));
