/**
 * The defects of SNDV-KV that show at its doors (HTTP there, MySQL and metrics here) and in its cache, one test each:
 * a product passes, and a small piece of the faulty behaviour must fail in the same check.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { buildFromContract } from "../../../src/app/build.ts";
import type { Cache } from "../../../src/parts/storage/page_io/cache.ts";
import { createLruCache } from "../../../src/parts/storage/page_io/replacement/lru/lru-cache.ts";
import { createWTinyLfuCache } from "../../../src/parts/storage/page_io/replacement/w_tinylfu/w-tinylfu-cache.ts";
import { WriteBatch } from "../../../src/parts/storage/write-batch.ts";
import { connectTo, startProduct, type StartedProduct } from "../../system/product-harness.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const scratch = mkdtempSync(join(tmpdir(), "lathe-sndv-"));
let product: StartedProduct;
let connection: Connection;

before(async () => {
  const directory = join(scratch, "product");
  buildFromContract({ contractFile: join(root, "examples", "taobench-o", "contract.yaml"), directory });
  product = await startProduct(directory, ["--data", join(scratch, "data"), "--metrics-port", "0"]);
  connection = await connectTo(product);
  await connection.query("CREATE TABLE texts (name VARCHAR(100) PRIMARY KEY, value VARCHAR(2000))");
  await connection.query("CREATE TABLE bytes (id BIGINT PRIMARY KEY, value VARBINARY(2000))");
});

after(async () => {
  connection?.destroy();
  await product?.end("SIGKILL");
  rmSync(scratch, { recursive: true, force: true });
});

/** A door: takes a key with its value, and gives the value of a key. */
interface Door {
  put(key: string, value: string): Promise<void>;
  get(key: string): Promise<string | undefined>;
  remove(key: string): Promise<void>;
}

const textDoor: Door = {
  async put(key, value) {
    await connection.query("INSERT INTO texts (name, value) VALUES (?, ?)", [key, value]);
  },
  async get(key) {
    const [rows] = await connection.query<RowDataPacket[]>("SELECT value FROM texts WHERE name=?", [key]);
    return rows[0]?.value as string | undefined;
  },
  async remove(key) {
    await connection.query("DELETE FROM texts WHERE name=?", [key]);
  },
};

const preparedDoor: Door = {
  async put(key, value) {
    await connection.execute("INSERT INTO texts (name, value) VALUES (?, ?)", [key, value]);
  },
  async get(key) {
    const [rows] = await connection.execute<RowDataPacket[]>("SELECT value FROM texts WHERE name=?", [key]);
    return rows[0]?.value as string | undefined;
  },
  async remove(key) {
    await connection.execute("DELETE FROM texts WHERE name=?", [key]);
  },
};

/** As SNDV-KV answers: JSON put together without escaping. */
function unescapedDoor(): Door {
  const entries = new Map<string, string>();
  return {
    put: async (key, value) => void entries.set(key, value),
    async get(key) {
      const answer = `{"key":"${key}","val":"${entries.get(key)}"}`;
      return (JSON.parse(answer) as { val: string }).val;
    },
    remove: async (key) => void entries.delete(key),
  };
}

const awkward = [
  `"`, `'`, "\\", `\\"`, "\\'", "\\\\", "\n\r\t\b", "\u0000", "\u0001\u001f\u007f", "''; DROP TABLE texts; --", "%_", "`", "ü🐘",
  "\u2028", `{"key":"x"}`, " trailing ",
];

async function checkRoundTrip(writer: Door, reader: Door): Promise<void> {
  for (const [at, text] of awkward.entries()) {
    const key = `${at}${text}`;
    await writer.put(key, text);
    assert.equal(await reader.get(key), text, JSON.stringify(text));
    await writer.remove(key);
    assert.equal(await reader.get(key), undefined);
  }
}

test("defect 9: answers were not escaped: quotes and control characters broke them, binary values were impossible", async () => {
  for (const writer of [textDoor, preparedDoor]) {
    for (const reader of [textDoor, preparedDoor]) await checkRoundTrip(writer, reader);
  }
  const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const values = [all, Buffer.of(0xff, 0xfe, 0xc0), Buffer.alloc(0), Buffer.alloc(1999, 0)];
  for (const [place, value] of values.entries()) {
    // By `query` the driver writes bytes into the text, as hexadecimal literals; by `execute` they are bound.
    const insert = "INSERT INTO bytes (id, value) VALUES (?, ?)";
    await connection.execute(insert, [place, value]);
    await connection.query(insert, [place + values.length, value]);
    const select = "SELECT value FROM bytes WHERE id=?";
    for (const id of [place, place + values.length]) {
      const [text] = await connection.query<RowDataPacket[]>(select, [id]);
      const [prepared] = await connection.execute<RowDataPacket[]>(select, [id]);
      assert.deepEqual([text[0].value, prepared[0].value], [value, value], `row ${id}`);
    }
  }
  const faulty = unescapedDoor();
  await assert.rejects(checkRoundTrip(faulty, faulty), SyntaxError);
});

/** Writes and reads counted by what a metrics page shows. */
type Counts = () => Promise<{ writes: number; reads: number }>;

async function checkCounts(door: Door, counts: Counts): Promise<void> {
  const first = await counts();
  for (let i = 0; i < 7; i++) await door.put(`counted${i}`, "v");
  for (let i = 0; i < 5; i++) await door.get(`counted${i}`);
  for (let i = 0; i < 6; i++) await door.get(`missing${i}`);
  await door.remove("counted0");
  const last = await counts();
  assert.deepEqual({ writes: last.writes - first.writes, reads: last.reads - first.reads }, { writes: 8, reads: 11 });
}

test("defect 10: writes were never counted, reads on cache hits only", async () => {
  const counts: Counts = async () => {
    const page = await (await fetch(`http://127.0.0.1:${product.metricsPort}/metrics`)).text();
    const of = (kind: string) => {
      const line = new RegExp(`^lathe_executor_statements_total\\{kind="${kind}"\\} (\\d+)$`, "m").exec(page);
      assert.ok(line !== null, `${kind} statements are on the page`);
      return Number(line[1]);
    };
    return { writes: of("insert") + of("delete"), reads: of("select") };
  };
  await checkCounts(textDoor, counts);
  for (let i = 1; i < 7; i++) await textDoor.remove(`counted${i}`);
  await checkCounts(preparedDoor, counts);
  let hits = 0;
  const door = unescapedDoor();
  const faulty: Door = {
    ...door,
    async get(key) {
      const value = await door.get(key);
      if (value !== "undefined") hits++;
      return value;
    },
  };
  await assert.rejects(checkCounts(faulty, async () => ({ writes: 0, reads: hits })), /Expected values to be strictly/);
});

const caches = [createLruCache, createWTinyLfuCache].map((create) => () => create({ capacityBytes: 1 << 20 }));

/** What was in the cache and expires is not answered from its time on, however often it was read before. */
function checkExpiry(cache: Cache): void {
  for (let i = 0; i < 50; i++) {
    const key = Buffer.from(`key${i}`);
    cache.fill(key, Buffer.from("short"), cache.epoch(), 1000 + i);
    for (const nowMs of [0, 999 + i]) assert.equal(cache.get(key, nowMs)?.length, 5, `key${i} at ${nowMs}`);
    assert.equal(cache.get(key, 1000 + i), undefined, `key${i} has expired`);
  }
}

test("defect 5, in the cache of rows: expired keys were served from it", () => {
  for (const make of caches) {
    checkExpiry(make());
    const timeless = make();
    const faulty = new Proxy(timeless, {
      get(target, name) {
        if (name === "get") return (key: Uint8Array) => target.get(key, 0);
        const member: unknown = Reflect.get(target, name, target);
        return typeof member === "function" ? member.bind(target) : member;
      },
    });
    assert.throws(() => checkExpiry(faulty), /has expired/);
  }
});

/** A read takes an old value, a write comes between, the read fills the cache: the old value must not stay. */
function checkFillAfterWrite(cache: Cache, write: (key: Uint8Array, value: Uint8Array) => void): void {
  const textOf = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString();
  for (let i = 0; i < 50; i++) {
    const key = Buffer.from(`key${i}`);
    if (i % 2 === 0) cache.fill(key, Buffer.from("older"), cache.epoch());
    const epoch = cache.epoch();
    write(key, Buffer.from("new"));
    cache.fill(key, Buffer.from("old"), epoch);
    const found = textOf(cache.get(key));
    assert.ok(found === undefined || found === "new", `key${i} is ${found}`);
  }
}

test("defect 11: a fill of the cache raced with its invalidation: stale reads after an overwrite", () => {
  for (const make of caches) {
    const updated = make();
    checkFillAfterWrite(updated, (key, value) => updated.update(key, value));
    const invalidated = make();
    checkFillAfterWrite(invalidated, (key) => invalidated.invalidate(key));
  }
  const careless = caches[0]();
  const faulty: Cache = new Proxy(careless, {
    get(target, name) {
      if (name === "fill") {
        return (key: Uint8Array, value: Uint8Array) => target.fill(key, value, target.epoch());
      }
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
  assert.throws(() => checkFillAfterWrite(faulty, (key) => faulty.invalidate(key)), /is old/);
});

/** Either every door takes an empty key or every door refuses it. */
async function checkEmptyKey(doors: readonly Door[]): Promise<void> {
  for (const writer of doors) {
    await writer.put("", "of the empty key");
    for (const reader of doors) assert.equal(await reader.get(""), "of the empty key");
    await writer.remove("");
    for (const reader of doors) assert.equal(await reader.get(""), undefined);
  }
}

test("defect 12: an empty key was taken by one door and refused by the other", async () => {
  await checkEmptyKey([textDoor, preparedDoor]);
  const [rows] = await connection.query<RowDataPacket[]>("SELECT name FROM texts WHERE name=''");
  assert.deepEqual(rows, []);
  // The engine's own keys have at least one byte, in whatever operation.
  const none = new Uint8Array(0);
  const batch = new WriteBatch();
  assert.throws(() => batch.put(none, none), { code: "INVALID_ARGUMENT" });
  assert.throws(() => batch.delete(none), { code: "INVALID_ARGUMENT" });
  const door = unescapedDoor();
  const faulty: Door = {
    ...door,
    async get(key) {
      if (key === "") throw new Error("Missing key");
      return door.get(key);
    },
  };
  await assert.rejects(checkEmptyKey([faulty]), /Missing key/);
});
