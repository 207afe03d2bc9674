import assert from "node:assert/strict";
import { test } from "node:test";
import { SimulatedDisk } from "./simulated-disk.ts";
import { seededNumbers } from "./simulated-env.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function read(disk: SimulatedDisk, path: string): string {
  const file = disk.open(path, "read");
  const target = new Uint8Array(file.sizeSync());
  file.readSync(target, 0, target.length, 0);
  return new TextDecoder().decode(target);
}

test("synced bytes under durable names survive every crash", () => {
  const disk = new SimulatedDisk();
  const file = disk.open("/a", "create");
  file.writeSync(bytes("kept"), 0, 4, 0);
  file.syncSync();
  disk.syncDirectory("/");
  file.writeSync(bytes("LOST"), 0, 4, 4);
  for (let seed = 0; seed < 200; seed++) {
    assert.equal(read(disk.crash(seededNumbers(seed)), "/a").slice(0, 4), "kept");
  }
});

test("unsynced bytes are lost in some crashes and kept in others; unsynced names likewise", () => {
  const disk = new SimulatedDisk();
  const file = disk.open("/a", "create");
  file.syncSync();
  disk.syncDirectory("/");
  file.writeSync(bytes("maybe"), 0, 5, 0);
  disk.open("/b", "create");
  const after = Array.from({ length: 100 }, (_, seed) => disk.crash(seededNumbers(seed)));
  const lengths = new Set(after.map((crashed) => crashed.size("/a")));
  assert.deepEqual([...lengths].sort(), [0, 5]);
  assert.deepEqual([...new Set(after.map((crashed) => crashed.exists("/b")))].sort(), [false, true]);
});

test("a write of many sectors can be torn", () => {
  const disk = new SimulatedDisk();
  const file = disk.open("/a", "create");
  file.allocateSync(4096);
  file.syncSync();
  disk.syncDirectory("/");
  file.writeSync(new Uint8Array(4096).fill(1), 0, 4096, 0);
  const torn = Array.from({ length: 100 }, (_, seed) => {
    const crashed = disk.crash(seededNumbers(seed)).open("/a", "read");
    const target = new Uint8Array(4096);
    crashed.readSync(target, 0, 4096, 0);
    const written = target.filter((byte) => byte === 1).length;
    return written > 0 && written < 4096;
  });
  assert.ok(torn.includes(true) && torn.includes(false));
});

test("faults strike at the stated call, once or for good", () => {
  const disk = new SimulatedDisk();
  const file = disk.open("/a", "create");
  disk.fault = { call: 3, code: "IO_ERROR", persistent: false };
  file.writeSync(bytes("x"), 0, 1, 0);
  assert.throws(() => file.syncSync(), { code: "IO_ERROR" });
  file.syncSync();
  disk.fault = { call: 5, code: "CRASH", persistent: true };
  assert.throws(() => file.writeSync(bytes("y"), 0, 1, 0), { code: "SIMULATED_CRASH" });
  assert.throws(() => file.syncSync(), { code: "SIMULATED_CRASH" });
});
