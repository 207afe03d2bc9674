import assert from "node:assert/strict";
import { test } from "node:test";
import { errorCodeOf } from "../../../../../../kit/errors.ts";
import { noSelectionHash } from "../../../../../../kit/file-header.ts";
import { SimulatedDisk } from "../../../../../../simulation/simulated-disk.ts";
import { Manifest, readCurrent, readManifest } from "./manifest.ts";
import type { VersionEdit } from "./version-edit.ts";

const directory = "/store";

function edit(number: number): VersionEdit {
  const meta = {
    number,
    sizeBytes: 1000 + number,
    entryCount: 10,
    deleteCount: 1,
    indexMin: number,
    indexMax: 2 ** 40 + number,
    smallest: Uint8Array.of(number),
    largest: Uint8Array.of(number, 255),
  };
  const removed = number > 2 ? [{ level: 0, number: number - 1 }] : [];
  return {
    durableIndex: number * 10,
    nextFileNumber: number + 1,
    removed,
    added: [{ level: number % 7, meta }],
  };
}

const edits = [edit(1), edit(2), edit(3), edit(4)];

async function write(): Promise<{ disk: SimulatedDisk; path: string; sizes: number[] }> {
  const disk = new SimulatedDisk();
  disk.makeDirectory(directory);
  const manifest = Manifest.create(disk, directory, 7, noSelectionHash, edits[0]);
  const sizes = [manifest.sizeBytes];
  for (const one of edits.slice(1)) {
    await manifest.append(one);
    sizes.push(manifest.sizeBytes);
  }
  return { disk, path: manifest.path, sizes };
}

test("edits come back in order; CURRENT names the manifest", async () => {
  const { disk, path } = await write();
  assert.equal(readCurrent(disk, directory, noSelectionHash), 7);
  assert.deepEqual(readManifest(disk, path, noSelectionHash), { edits, tornBytes: 0 });
  assert.equal(readCurrent(new SimulatedDisk(), directory, noSelectionHash), undefined);
});

test("a tail torn at any byte leaves the edits before it", async () => {
  const { disk, path, sizes } = await write();
  const whole = disk.size(path);
  for (let length = whole - 1; length > sizes[0]; length--) {
    disk.open(path, "write").truncateSync(length);
    const { edits: found, tornBytes } = readManifest(disk, path, noSelectionHash);
    const count = sizes.filter((size) => size <= length).length;
    assert.deepEqual(found, edits.slice(0, count));
    assert.equal(tornBytes, length - sizes[count - 1]);
  }
});

test("a tail of zeros or of garbage is torn too", async () => {
  const { disk, path } = await write();
  const file = disk.open(path, "write");
  const end = file.sizeSync();
  for (const fill of [0, 1, 0xff]) {
    file.writeSync(new Uint8Array(300).fill(fill), 0, 300, end);
    assert.deepEqual(readManifest(disk, path, noSelectionHash), { edits, tornBytes: 300 });
  }
});

test("damage before the last record is CORRUPTION with file and offset, never a shorter history", async () => {
  const { disk, path, sizes } = await write();
  const file = disk.open(path, "write");
  const original = new Uint8Array(1);
  for (let at = 0; at < sizes[2]; at++) {
    file.readSync(original, 0, 1, at);
    file.writeSync(Uint8Array.of(original[0] ^ 0x10), 0, 1, at);
    assert.throws(
      () => readManifest(disk, path, noSelectionHash),
      (error) =>
        /^(CORRUPTION|FORMAT_UNKNOWN)$/.test(String(errorCodeOf(error))) &&
        (error as Error).message.includes(path),
      `byte ${at}`,
    );
    file.writeSync(original, 0, 1, at);
  }
});

test("a damaged CURRENT is refused, not taken for a new store", async () => {
  const { disk } = await write();
  const file = disk.open(`${directory}/CURRENT`, "write");
  const original = new Uint8Array(1);
  for (let at = 0; at < file.sizeSync(); at++) {
    file.readSync(original, 0, 1, at);
    file.writeSync(Uint8Array.of(original[0] ^ 4), 0, 1, at);
    assert.throws(() => readCurrent(disk, directory, noSelectionHash), { code: /CORRUPTION|FORMAT_UNKNOWN/ });
    file.writeSync(original, 0, 1, at);
  }
});
