/**
 * The key-value store against a map, with conditions, expiry and a row cache; equal logs give equal states.
 * `LATHE_TEST_RUNS` sets the runs per property.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import type { KeyValueChange, KeyValueStore, WriteCondition } from "../../key-value-store.ts";
import { commandCodec } from "../one_shot_command/command-codec.ts";
import { ChangeReader, ChangeWriter, flagAbsent, flagPresent } from "./change-codec.ts";
import { openStore } from "./in-memory-store.fixture.ts";

const runs = { numRuns: Number(process.env.LATHE_TEST_RUNS ?? 100) };
function read(store: KeyValueStore, key: string): { value: string; version: bigint } | undefined {
  const item = store.get(Buffer.from(key));
  return item === undefined ? undefined : { value: Buffer.from(item.value).toString("latin1"), version: item.version };
}

const keys = ["", "\0", "a", "a\0", "a\0b", "ab", "é", "z".repeat(64)].slice(1);
const change = fc.record({
  key: fc.constantFrom(...keys),
  value: fc.option(fc.oneof(fc.string({ maxLength: 8 }), fc.constant("v".repeat(300)), fc.constant("w".repeat(66_000))), { nil: undefined }),
  ttlMs: fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined }),
  condition: fc.option(
    fc.oneof(fc.constant("absent" as const), fc.constant("present" as const), fc.constant("current" as const), fc.constant([999n])),
    { nil: undefined, freq: 3 },
  ),
});
const operation = fc.record({ changes: fc.array(change, { minLength: 1, maxLength: 4 }), passMs: fc.nat(20), read: fc.constantFrom(...keys) });

interface Known {
  readonly value: string;
  readonly version: bigint;
  readonly expiresAtMs: number;
}

test("every answer is a map's, with and without a cache", async () => {
  await fc.assert(fc.asyncProperty(fc.array(operation, { maxLength: 30 }), fc.boolean(), async (operations, cached) => {
    const { store, log } = await openStore(cached);
    const model = new Map<string, Known>();
    const at = (key: string) => {
      const known = model.get(key);
      return known !== undefined && known.expiresAtMs > log.ms ? known : undefined;
    };
    for (const { changes, passMs, read: asked } of operations) {
      log.ms += passMs;
      const given: KeyValueChange[] = changes.map(({ key, value, ttlMs, condition }) => {
        const wanted: WriteCondition | undefined = condition === "current" ? [at(key)?.version ?? 5n] : condition;
        return { key, value, ttlMs: value === undefined ? undefined : ttlMs, condition: wanted };
      });
      const refused = given.findIndex(({ key, condition }) => {
        const there = at(key as string)?.version;
        if (condition === undefined) return false;
        if (condition === "absent") return there !== undefined;
        return condition === "present" ? there === undefined : there === undefined || !condition.includes(there);
      });
      const before = refused < 0 ? undefined : at(given[refused].key as string)?.version;
      const result = await store.write(given);
      if (refused >= 0) assert.deepEqual(result, { kind: "refused", change: refused, version: before });
      else {
        assert.equal(result.kind, "written");
        for (const { key, value, ttlMs } of given) {
          const expiresAtMs = ttlMs === undefined ? Number.POSITIVE_INFINITY : log.ms + ttlMs;
          if (value === undefined) model.delete(key as string);
          else model.set(key as string, { value: Buffer.from(value as string).toString("latin1"), version: result.version as bigint, expiresAtMs });
        }
      }
      for (const key of [asked, ...given.map((one) => one.key as string)]) {
        const known = at(key);
        assert.deepEqual(read(store, key), known === undefined ? undefined : { value: known.value, version: known.version });
      }
      const seen: string[] = [];
      store.scan({}, (item) => seen.push(Buffer.from(item.key).toString()) > 0);
      const wanted = [...model.keys()].filter((key) => at(key) !== undefined).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      assert.deepEqual(seen, wanted);
    }
  }), runs);
});

test("ranges: prefix, from, to and what comes behind a key", async () => {
  const { store } = await openStore(false);
  const all = ["a", "a\0", "a\0b", "ab", "abc", "b", "\xff", "\xff\xff"].map((key) => Buffer.from(key, "latin1"));
  await store.write(all.map((key) => ({ key, value: "x" })));
  const found = (range: Parameters<KeyValueStore["scan"]>[0]) => {
    const names: string[] = [];
    store.scan(range, ({ key }) => names.push(Buffer.from(key).toString("latin1")) > 0);
    return names;
  };
  const bytes = (text: string) => Buffer.from(text, "latin1");
  const sorted = all.map((key) => key.toString("latin1"));
  assert.deepEqual(found({}), sorted);
  assert.deepEqual(found({ prefix: bytes("a") }), sorted.slice(0, 5));
  assert.deepEqual(found({ prefix: bytes("a\0") }), ["a\0", "a\0b"]);
  assert.deepEqual(found({ prefix: bytes("\xff") }), ["\xff", "\xff\xff"]);
  assert.deepEqual(found({ from: bytes("ab"), to: bytes("b") }), ["ab", "abc"]);
  assert.deepEqual(found({ to: bytes("a") }), []);
  assert.deepEqual(found({ from: bytes("b"), to: bytes("a") }), []);
  for (const [at, key] of sorted.entries()) assert.deepEqual(found({ after: bytes(key) }), sorted.slice(at + 1));
  assert.deepEqual(found({ prefix: bytes("a"), after: bytes("a\0b") }), ["ab", "abc"]);
});

test("one log applied twice, with a cache and without, gives one state and the same results", async () => {
  await fc.assert(fc.asyncProperty(fc.array(operation, { maxLength: 20 }), async (operations) => {
    const [first, second] = [await openStore(true), await openStore(false)];
    const results: unknown[] = [];
    for (const { changes, passMs, read: asked } of operations) {
      first.log.ms += passMs;
      const given = changes.map(({ key, value, ttlMs, condition }) =>
        ({ key, value, ttlMs: value === undefined ? undefined : ttlMs, condition: condition === "current" ? [3n] : condition }));
      results.push(await first.store.write(given));
      read(first.store, asked);
    }
    const again = first.log.entries.slice(1).map((entry, at) => second.machine.apply(at + 2, entry));
    assert.deepEqual(again, results);
    assert.deepEqual([...second.engine.entries].sort(), [...first.engine.entries].sort());
  }), runs);
});

test("what is too long, empty or nonsense is refused before it is logged", async () => {
  const { store, log } = await openStore(false);
  const logged = log.entries.length;
  const put = (key: string | Uint8Array, value: string, ttlMs?: number) => store.write([{ key, value, ttlMs }]);
  await assert.rejects(put("", "x"), { code: "INVALID_ARGUMENT" });
  await assert.rejects(put("k".repeat(65), "x"), { code: "LIMIT_EXCEEDED" });
  await assert.rejects(put("é".repeat(33), "x"), { code: "LIMIT_EXCEEDED" });
  await assert.rejects(put("k", "x".repeat(70_001)), { code: "LIMIT_EXCEEDED" });
  await assert.rejects(put("k", "x", 0), { code: "INVALID_ARGUMENT" });
  await assert.rejects(put("k", "x", 0.5), { code: "INVALID_ARGUMENT" });
  const many = Array.from({ length: 300 }, (_, at) => ({ key: `k${at}`, value: "x".repeat(70_000) }));
  await assert.rejects(store.write(many), { code: "LIMIT_EXCEEDED" });
  assert.equal(log.entries.length, logged);
  await put("k", "still here");
  assert.equal(read(store, "k")?.value, "still here");
});

test("a table that was dropped, or got an index, is not written to", async () => {
  const { store, log } = await openStore(false);
  await log.propose(commandCodec.encode({ steps: [{ kind: "dropTable", name: "kv", ifExists: false }] }));
  await assert.rejects(store.write([{ key: "a", value: "b" }]), { code: "NOT_FOUND", message: /kv is missing/ });
  assert.throws(() => store.get(Buffer.from("a")), { code: "NOT_FOUND" });
  await store.prepare();
  await store.write([{ key: "a", value: "b" }]);
  assert.equal(read(store, "a")?.value, "b");
});

test("golden: commands are written, and read, as they were when their format was made", () => {
  const golden: KeyValueChange[][] = [
    [{ key: "a", value: "1" }],
    [{ key: "a", value: undefined }],
    [{ key: "é", value: "x".repeat(130), ttlMs: 1500 }],
    [
      { key: Uint8Array.of(0, 255), value: new Uint8Array(0), condition: "absent" },
      { key: "b", value: undefined, condition: "present" },
    ],
    [{ key: "k", value: "v", ttlMs: 2 ** 40, condition: [1n, -1n, 2n ** 53n] }, { key: "l", value: "w" }],
  ];
  const file = readFileSync(join(import.meta.dirname, "golden", "changes-v1.hex"), "utf8").trimEnd().split("\n");
  assert.equal(file.length, golden.length);
  const bytesOf = (data: string | Uint8Array | undefined) => (data === undefined ? undefined : Buffer.from(data as string));
  for (const [at, changes] of golden.entries()) {
    const writer = new ChangeWriter(1 << 20);
    writer.begin();
    for (const one of changes) writer.add(one, 1024, 1024);
    assert.equal(Buffer.from(writer.finish()).toString("hex"), file[at]);
    const reader = new ChangeReader(Buffer.from(file[at], "hex"));
    for (const { key, value, ttlMs, condition } of changes) {
      assert.ok(reader.next());
      const conditions = [(reader.flags & flagAbsent) !== 0, (reader.flags & flagPresent) !== 0, [...reader.versions]];
      const wanted = [condition === "absent", condition === "present", typeof condition === "object" ? condition : []];
      assert.deepEqual([bytesOf(reader.key), bytesOf(reader.value), reader.ttlMs], [bytesOf(key), bytesOf(value), ttlMs]);
      assert.deepEqual(conditions, wanted);
    }
    assert.ok(!reader.next());
  }
});
