/**
 * Backup, verify, restore, scrub and repair of a real product: running, stopped, damaged.
 */
import assert from "node:assert/strict";
import {
  closeSync, cpSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, readSync, rmSync, statSync,
  writeFileSync, writeSync,
} from "node:fs";
import { spawnSync } from "node:child_process";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { LatheError } from "../../src/kit/errors.ts";
import { backUp, verifyBackups } from "../../src/app/backup.ts";
import { buildFromContract } from "../../src/app/build.ts";
import { repairDirectory } from "../../src/app/repair.ts";
import { restoreBackup } from "../../src/app/restore.ts";
import { scrubDirectory } from "../../src/app/scrub.ts";
import type { UseCaseContext } from "../../src/app/use-case.ts";
import { connectTo, startProduct, withTemporaryDirectory } from "./product-harness.ts";

const root = join(import.meta.dirname, "..", "..");
const scratch = mkdtempSync(join(tmpdir(), "lathe-backup-"));
const product = join(scratch, "product");
const context: UseCaseContext = { signal: new AbortController().signal, progress: () => undefined, status: () => undefined };

before(() => {
  buildFromContract({ contractFile: join(root, "examples", "taobench-o", "contract.yaml"), directory: product });
});
after(() => rmSync(scratch, { recursive: true, force: true }));

type Connection = Awaited<ReturnType<typeof connectTo>>;

async function insert(connection: Connection, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += 500) {
    const rows = Array.from({ length: Math.min(500, to - at) }, (_, i) => `(${at + i}, ${at + i}, 'value ${at + i}')`);
    await connection.query(`INSERT INTO t VALUES ${rows.join(",")}`);
  }
}

async function countAt(data: string): Promise<{ count: string; last: string | undefined }> {
  const started = await startProduct(product, ["--data", data]);
  const connection = await connectTo(started);
  const [[{ count }]] = (await connection.query("SELECT COUNT(*) AS count FROM t")) as unknown as [[{ count: string }]];
  const [rows] = await connection.query("SELECT v FROM t WHERE id=2999");
  await connection.end();
  assert.equal((await started.end("SIGTERM")).exitCode, 0);
  return { count: String(count), last: (rows as { v: string }[])[0]?.v };
}

function flipAt(path: string, offset: number): void {
  const descriptor = openSync(path, "r+");
  const byte = new Uint8Array(1);
  readSync(descriptor, byte, 0, 1, offset);
  byte[0] ^= 0x5a;
  writeSync(descriptor, byte, 0, 1, offset);
  closeSync(descriptor);
}

function largest(directory: string, suffix: string): string {
  const names = readdirSync(directory).filter((name) => name.endsWith(suffix));
  return names.sort((a, b) => statSync(join(directory, b)).size - statSync(join(directory, a)).size)[0];
}

test("a running server is backed up, incrementally; backups verify and restore to the same rows", () =>
  withTemporaryDirectory(async (directory) => {
    const data = join(directory, "data");
    const set = join(directory, "backups");
    const started = await startProduct(product, ["--data", data]);
    const connection = await connectTo(started);
    await connection.query("CREATE TABLE t (id BIGINT PRIMARY KEY, n BIGINT, v VARCHAR(40))");
    await insert(connection, 0, 3000);
    assert.equal(statSync(join(data, "control.sock")).mode & 0o777, 0o600);
    const first = await backUp(data, set, context);
    assert.ok(first.keyCount > 3000);
    assert.equal(first.linkedBytes, 0);
    assert.deepEqual(readdirSync(join(data, "checkpoints")), [], "the checkpoint is gone");
    // Writes go on while the second one is made.
    let writing = true;
    const writer = (async () => {
      let id = 10_000;
      for (; writing; id++) await connection.query(`INSERT INTO t VALUES (${id}, 1, 'late')`);
      return id - 10_000;
    })();
    const second = await backUp(data, set, context);
    writing = false;
    const late = await writer;
    assert.ok(second.linkedBytes > 0 && second.linkedBytes < second.bytes, "tables are linked, manifest and log are not");
    assert.notEqual(second.id, first.id);
    await connection.end();
    assert.equal((await started.end("SIGKILL")).signal, "SIGKILL");
    const stopped = await backUp(data, set, context);
    assert.deepEqual((await verifyBackups(set, undefined, context)).backups.map(({ problems }) => problems), [[], [], []]);

    const restored = join(directory, "restored");
    await restoreBackup({ set, id: first.id, data: restored }, context);
    assert.deepEqual(await countAt(restored), { count: "3000", last: "value 2999" });
    await restoreBackup({ set, id: second.id, data: join(directory, "second") }, context);
    const { count } = await countAt(join(directory, "second"));
    assert.ok(Number(count) >= 3000 && Number(count) <= 3000 + late, count);
    const newest = await restoreBackup({ set, id: undefined, data: join(directory, "newest") }, context);
    assert.equal(newest.id, stopped.id);
    assert.equal((await countAt(join(directory, "newest"))).count, String(3000 + late));

    await assert.rejects(restoreBackup({ set, id: undefined, data: restored }, context), { code: "ALREADY_EXISTS" });
    await assert.rejects(restoreBackup({ set, id: "no", data: join(directory, "x") }, context), { code: "NOT_FOUND" });
    await assert.rejects(backUp(join(directory, "nowhere"), set, context), { code: "NOT_FOUND" });

    // A flipped byte in a file that backups share, a missing and an additional file.
    const engine = join(set, first.id, "data", "engine");
    const table = join(engine, largest(engine, ".sst"));
    flipAt(table, statSync(table).size >>> 1);
    writeFileSync(join(set, stopped.id, "data", "stranger"), "");
    rmSync(join(set, stopped.id, "data", "engine", "CURRENT"));
    const verified = (await verifyBackups(set, undefined, context)).backups;
    assert.match(verified[0].problems.join(), /sst differs from what was backed up/);
    assert.match(verified[2].problems.join(), /CURRENT is missing.*stranger is no part/s);
    const refused = restoreBackup({ set, id: first.id, data: join(directory, "y") }, context);
    await assert.rejects(refused, { code: "CORRUPTION", message: /not what was backed up/ });
    assert.equal(existsSync(join(directory, "y", "engine", "CURRENT")), false, "nothing opens half a restore");
  }));

/** A data directory with a table of some rows, and its server stopped. */
async function smallStore(directory: string, rows = 100): Promise<string> {
  const data = join(directory, "small");
  const started = await startProduct(product, ["--data", data]);
  const connection = await connectTo(started);
  await connection.query("CREATE TABLE t (id BIGINT PRIMARY KEY, n BIGINT, v VARCHAR(40))");
  await insert(connection, 0, rows);
  await connection.end();
  assert.equal((await started.end("SIGTERM")).exitCode, 0);
  return data;
}

test("what must not spoil a backup: an old one's damage, a second one at the same time, a stop, a set in the wrong place", () =>
  withTemporaryDirectory(async (directory) => {
    const data = await smallStore(directory);
    const set = join(directory, "backups");
    const first = await backUp(data, set, context);
    writeFileSync(join(set, first.id, "backup.json"), "{");
    const told: string[] = [];
    const second = await backUp(data, set, { ...context, progress: (line) => told.push(line) });
    assert.equal(second.linkedBytes, 0);
    assert.match(told.join(), new RegExp(`nothing is linked to ${first.id}.*is damaged`));
    const running = await startProduct(product, ["--data", data]);
    const [third, fourth] = await Promise.all([backUp(data, set, context), backUp(data, set, context)]);
    assert.notEqual(third.id, fourth.id);
    assert.equal((await running.end("SIGTERM")).exitCode, 0);

    const stopped = { ...context, signal: AbortSignal.abort(new LatheError("CANCELLED", "stopped by Ctrl-C")) };
    const before = readdirSync(set);
    await assert.rejects(backUp(data, set, stopped), { code: "CANCELLED" });
    assert.deepEqual(readdirSync(set), before, "nothing is left of a backup that was stopped");
    const target = join(directory, "target");
    await assert.rejects(restoreBackup({ set, id: fourth.id, data: target }, stopped), { code: "CANCELLED" });
    assert.equal(existsSync(target), false, "nothing is left of a restore that was stopped");
    assert.equal((await restoreBackup({ set, id: fourth.id, data: target }, context)).id, fourth.id);
    mkdirSync(join(set, "20200101T000000Z.partial"));
    const { backups, partial } = await verifyBackups(set, undefined, context);
    assert.deepEqual(partial, ["20200101T000000Z.partial"]);
    assert.deepEqual(backups.map(({ problems }) => problems.length), [1, 0, 0, 0]);

    for (const wrong of [data, join(data, "backups"), target]) {
      await assert.rejects(backUp(data, wrong, context), { code: "INVALID_ARGUMENT", message: /directory of its own/ });
    }
    assert.equal(existsSync(join(data, "backups")), false);
  }));

test("a target without room, or without permission, is said to be so, and nothing is left in it", (t) =>
  withTemporaryDirectory(async (directory) => {
    const data = await smallStore(directory, 3000);
    const set = join(directory, "backups");
    await backUp(data, set, context);
    const full = join(directory, "full");
    mkdirSync(full);
    // A file system of its own that is too small, which needs a superuser.
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=16k", "tmpfs", full]).status === 0;
    if (!mounted) return t.skip("a file system cannot be mounted here");
    try {
      await assert.rejects(backUp(data, join(full, "set"), context), { code: "DISK_FULL", message: /no space is left/ });
      assert.deepEqual(readdirSync(join(full, "set")), []);
      const target = join(full, "data");
      await assert.rejects(restoreBackup({ set, id: undefined, data: target }, context), { code: "DISK_FULL" });
      assert.equal(existsSync(target), false);
      await assert.rejects(repairDirectory({ directory: data, out: target, dryRun: false }, context), { code: "DISK_FULL" });
      assert.equal(existsSync(target), false);
    } finally {
      spawnSync("umount", [full]);
    }
  }));

test("the control socket refuses what it does not know, and a server without one is named", () =>
  withTemporaryDirectory(async (directory) => {
    const data = join(directory, "data");
    const started = await startProduct(product, ["--data", data]);
    const ask = (line: string) =>
      new Promise<string>((done) => {
        let text = "";
        const socket = connect(join(data, "control.sock"));
        socket.on("connect", () => socket.write(line));
        socket.on("data", (part) => (text += part.toString()));
        socket.on("error", () => undefined);
        socket.on("close", () => done(text));
      });
    for (const line of [
      "no json\n", "null\n", '{"command":"drop"}\n', '{"command":"checkpoint"}\n',
      '{"command":"checkpoint","name":"../../etc"}\n', '{"command":"checkpoint","name":""}\n',
    ]) {
      assert.equal((JSON.parse(await ask(line)) as { ok: boolean }).ok, false, line);
    }
    assert.equal(await ask("x".repeat(10_000)), "", "too long: hung up");
    await assert.rejects(scrubDirectory(data, context), { code: "LOCKED", message: /lathe backup/ });
    await assert.rejects(repairDirectory({ directory: data, out: undefined, dryRun: true }, context), { code: "LOCKED" });
    rmSync(join(data, "control.sock"));
    await assert.rejects(backUp(data, join(directory, "set"), context), { code: "LOCKED", message: /control\.sock/ });
    assert.deepEqual(readdirSync(join(directory, "set")), []);
    assert.equal((await started.end("SIGTERM")).exitCode, 0);
  }));

/** Data of 3000 rows that were backed up to `set`, and of some that were written after it and are in the log alone. */
async function killedWithRows(directory: string, inLog: number): Promise<string> {
  const data = join(directory, "data");
  const started = await startProduct(product, ["--data", data]);
  const connection = await connectTo(started);
  await connection.query("CREATE TABLE t (id BIGINT PRIMARY KEY, n BIGINT, v VARCHAR(40))");
  await insert(connection, 0, 3000);
  await backUp(data, join(directory, "set"), context);
  for (let i = 0; i < inLog; i++) await connection.query(`INSERT INTO t VALUES (${20_000 + i}, 1, 'log ${i}')`);
  await connection.end();
  assert.equal((await started.end("SIGKILL")).signal, "SIGKILL");
  return data;
}

test("scrub names damage; backup refuses it; repair saves the rest, tables and log", () =>
  withTemporaryDirectory(async (directory) => {
    const data = await killedWithRows(directory, 20);
    const clean = await scrubDirectory(data, context);
    assert.equal(clean.damagedFiles, 0, JSON.stringify(clean.files.filter(({ problems }) => problems.length > 0)));
    assert.ok(clean.logEntries >= 20 && clean.entries > 3000);

    const table = join("engine", largest(join(data, "engine"), ".sst"));
    flipAt(join(data, table), 40_000);
    const segment = join("wal", largest(join(data, "wal"), ".wal"));
    const place = readFileSync(join(data, segment)).indexOf("log 5");
    flipAt(join(data, segment), place);
    const scrubbed = await scrubDirectory(data, context);
    const damaged = scrubbed.files.filter(({ problems }) => problems.some(({ severity }) => severity === "damage"));
    assert.deepEqual(damaged.map(({ file }) => file).sort(), [table, segment].sort());
    assert.ok(damaged.every(({ problems }) => problems[0].offset > 0));
    await assert.rejects(backUp(data, join(directory, "set"), context), { code: "CORRUPTION", message: /lathe repair/ });
    await assert.rejects(startProduct(product, ["--data", data]), /wal.*damaged/s);

    const planned = await repairDirectory({ directory: data, out: undefined, dryRun: true }, context);
    const { out, complete, log, files } = await repairDirectory({ directory: data, out: undefined, dryRun: false }, context);
    assert.equal(out, `${data}-repaired`);
    assert.deepEqual([planned.files, planned.log], [files, log]);
    assert.equal(complete, false);
    assert.deepEqual(log?.lost.map(({ from, to }) => (to ?? Infinity) - from), [0], "one entry of the log");
    const [salvaged] = files.filter(({ outcome }) => outcome === "salvaged");
    const lost = salvaged.lostEntries ?? 0;
    assert.ok(lost > 0 && lost < 200);
    const { count } = await countAt(out ?? "");
    assert.equal(Number(count), 3000 - lost + 19);
    assert.equal((await scrubDirectory(out ?? "", context)).damagedFiles, 0);
    mkdirSync(join(directory, "full", "x"), { recursive: true });
    const full = repairDirectory({ directory: data, out: join(directory, "full"), dryRun: false }, context);
    await assert.rejects(full, { code: "ALREADY_EXISTS" });
  }));

test("repair never says that nothing is lost when a part of the log is gone; what it makes can be served", () =>
  withTemporaryDirectory(async (directory) => {
    const data = await killedWithRows(directory, 5);
    const segment = (copy: string) => join(copy, "wal", largest(join(copy, "wal"), ".wal"));
    const damages: [string, (copy: string) => void, RegExp][] = [
      ["header", (copy) => flipAt(segment(copy), 3), /\.wal$/],
      ["segment", (copy) => rmSync(segment(copy)), /^wal$/],
      ["directory", (copy) => rmSync(join(copy, "wal"), { recursive: true }), /^wal$/],
    ];
    for (const [name, damage, named] of damages) {
      const copy = join(directory, name);
      cpSync(data, copy, { recursive: true, filter: (path) => !path.endsWith(".sock") });
      for (const extra of readdirSync(join(copy, "wal"))) if (extra.startsWith("spare")) rmSync(join(copy, "wal", extra));
      damage(copy);
      assert.ok((await scrubDirectory(copy, context)).damagedFiles > 0, name);
      await assert.rejects(backUp(copy, join(directory, "set"), context), { code: "CORRUPTION" });
      const { complete, log, out } = await repairDirectory({ directory: copy, out: undefined, dryRun: false }, context);
      assert.equal(complete, false, name);
      assert.match(log?.unreadable.join() ?? "", named);
      assert.deepEqual(log?.lost.map(({ to }) => to), [undefined], name);
      assert.deepEqual(await countAt(out ?? ""), { count: "3000", last: "value 2999" });
    }
  }));
