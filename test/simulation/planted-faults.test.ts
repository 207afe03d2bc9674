/** The simulation finds faults planted in the sources, each within a stated number of seeds; and none without one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { findPlanted, type PlantedFault } from "./planted-fault.ts";

const lsm = "parts/storage/storage_model/row/kvlsm/blackboard";
const memory = "parts/storage/storage_model/memory";
const wal = "parts/core/wal";
const relaxed = "parts/recovery/auxiliary/relaxed_sync/relaxed-sync.ts";

const faults: readonly PlantedFault[] = [
  {
    name: "the log is not flushed",
    edits: [{ file: `${wal}/wal.ts`, find: "await file.sync();", replace: "void file;" }],
    subject: "log",
    seedsMax: 40,
  },
  {
    name: "tables are not flushed",
    edits: [{ file: `${lsm}/table-writer.ts`, find: "this.#file.syncSync();", replace: "" }],
    subject: "bare-engine",
    seedsMax: 60,
  },
  {
    name: "the directory of a new table is not flushed",
    edits: [
      { file: `${lsm}/flush-job.ts`, find: "disk.syncDirectory(input.directory);", replace: "" },
      { file: `${lsm}/compaction-job.ts`, find: "context.disk.syncDirectory(input.directory);", replace: "" },
    ],
    subject: "bare-engine",
    seedsMax: 80,
  },
  {
    name: "a manifest edit is durable before the table that it adds",
    edits: [
      {
        file: `${lsm}/table-writer.ts`,
        find: "this.#file.syncSync();",
        replace: "((globalThis as any).lateSyncs ??= []).push(this.#file);",
      },
      {
        file: `${lsm}/manifest.ts`,
        find: "await this.#file.sync();",
        replace:
          "await this.#file.sync(); " +
          "for (const one of ((globalThis as any).lateSyncs ?? []).splice(0)) await one.sync();",
      },
    ],
    subject: "bare-engine",
    seedsMax: 200,
  },
  {
    name: "a command is acknowledged while its flush is under way",
    edits: [
      {
        file: "parts/replication/single_node/single-node-log.ts",
        find: "await this.#log.sync();",
        replace: "void this.#log.sync().catch(() => undefined);",
      },
    ],
    subject: "node",
    seedsMax: 60,
  },
  {
    name: "the tail of the log is cut off too far",
    edits: [
      {
        file: `${wal}/segment-recovery.ts`,
        find: "isRecord(bytes, offset, capacityBytes, recordKinds.entry, salt)",
        replace: "isRecord(bytes, offset, capacityBytes - 1024, recordKinds.entry, salt)",
      },
    ],
    subject: "log",
    seedsMax: 60,
  },
  {
    name: "checksums of blocks are not looked at",
    edits: [
      {
        file: `${lsm}/table-format.ts`,
        find: "return readU32LE(",
        replace: "return true || readU32LE(",
      },
    ],
    subject: "bare-engine",
    seedsMax: 600,
    knownSeed: 439,
    everyCall: "flippedWrite",
  },
  {
    name: "a recycled segment is trusted: its salt is always the same",
    edits: [{ file: `${wal}/segment-supply.ts`, find: "this.#env.random.u32()", replace: "7" }],
    subject: "log",
    seedsMax: 1500,
    knownSeed: 418,
  },
  {
    name: "a truncation of the log's end is acknowledged before it is durable",
    edits: [
      {
        file: `${wal}/wal.ts`,
        find: "this.#syncedIndex = index - 1;\n      await this.#group.request();",
        replace: "this.#syncedIndex = index - 1;",
      },
    ],
    subject: "log",
    seedsMax: 200,
  },
  {
    name: "segments that were never used stay behind those that were superseded",
    edits: [
      { file: `${wal}/segment-recovery.ts`, find: "retiredNames: ordered.map(", replace: "retiredNames: retired.map(" },
    ],
    subject: "log",
    seedsMax: 0,
    kept: "log-unused-segment-comes-first",
  },
  {
    name: "a compaction takes a table that is missing",
    edits: [
      { file: `${lsm}/background-work.ts`, find: "this.#refuseDamaged(new Set(", replace: "void (new Set(" },
    ],
    subject: "bare-engine",
    seedsMax: 0,
    kept: "checkpoint-of-a-damaged-store",
  },
  {
    name: "compactions wait for the end of a replay that waits for a compaction",
    edits: [{ file: `${lsm}/blackboard.ts`, find: " && this.debtBytes() < debtSlowdownBytes", replace: "" }],
    subject: "engine",
    seedsMax: 600,
    knownSeed: 233,
  },
  {
    name: "the log is truncated before the manifest says that it may be",
    edits: [
      {
        file: `${lsm}/background-work.ts`,
        find: "    await board.versions.commit({\n      durableIndex",
        replace: "    log?.truncatePrefix(memtable.lastIndex);\n    await board.versions.commit({\n      durableIndex",
      },
    ],
    subject: "engine",
    seedsMax: 0,
    everyCall: "ioError",
    crashAfter: 8,
  },
  {
    name: "the log is truncated before the table is written",
    edits: [
      {
        file: `${lsm}/background-work.ts`,
        find: "    // A log that failed is asked first",
        replace: "    log?.truncatePrefix(memtable.lastIndex);\n    // A log that failed is asked first",
      },
    ],
    subject: "engine",
    seedsMax: 400,
    knownSeed: 53,
  },
  {
    name: "a checkpoint is made over a damaged table",
    edits: [
      {
        file: `${lsm}/checkpoint.ts`,
        find: "if (damaged instanceof DamagedTable) throw damaged.error;",
        replace: "void damaged;",
      },
    ],
    subject: "bare-engine",
    seedsMax: 0,
    kept: "checkpoint-over-a-damaged-table",
  },
  {
    name: "CURRENT is renamed before what it says is on the device",
    edits: [
      {
        file: `${lsm}/manifest.ts`,
        find: "file.writeSync(bytes, 0, bytes.length, 0);\n    file.syncSync();",
        replace: "file.writeSync(bytes, 0, bytes.length, 0);",
      },
    ],
    subject: "bare-engine",
    seedsMax: 100,
  },
  {
    name: "entries never expire",
    edits: [
      { file: "parts/storage/expiry-clock.ts", find: "return expiresAtMs <= this.nowMs();", replace: "return false;" },
    ],
    subject: "bare-engine",
    seedsMax: 60,
  },
  {
    name: "tombstones are dropped above the bottom",
    edits: [{ file: `${lsm}/retention.ts`, find: "!this.#bottom || ", replace: "" }],
    subject: "bare-engine",
    seedsMax: 60,
  },
  {
    name: "within a loss window the log is never flushed",
    edits: [
      { file: relaxed, find: "&& this.#waiting !== undefined) void this.#flush();", replace: "&& this.#closed);" },
      { file: relaxed, find: "if (!this.#isLate()) return undefined;", replace: "return undefined;" },
    ],
    subject: "relaxed-node",
    seedsMax: 80,
  },
  {
    name: "within a loss window answers come before the entry has left the process",
    edits: [{ file: relaxed, find: "      this.#log.writeOut();\n", replace: "" }],
    subject: "relaxed-node",
    seedsMax: 40,
  },
  {
    name: "within a loss window tables come into force before their log is on the device",
    edits: [{ file: `${lsm}/background-work.ts`, find: "return logDurable?.(index);", replace: "return undefined;" }],
    subject: "relaxed-node",
    seedsMax: 40,
  },
  {
    name: "the log is given up before the snapshot is on the device",
    edits: [
      { file: `${memory}/snapshot-jobs.ts`, find: 'if (input.flush !== "nothing") file.syncSync();', replace: "" },
    ],
    subject: "memory",
    seedsMax: 60,
    everyCall: "crash",
  },
  {
    name: "the log is given up before CURRENT names the snapshot",
    edits: [
      {
        file: `${memory}/snapshot-writer.ts`,
        find: "      await this.#writeFile(path, state);",
        replace: "      this.#current = state;\n      await this.#writeFile(path, state);",
      },
    ],
    subject: "memory-node",
    seedsMax: 0,
    everyCall: "ioError",
    crashAfter: 8,
  },
  {
    name: "the snapshot in force is removed before CURRENT names the next one",
    edits: [
      {
        file: `${memory}/snapshot-writer.ts`,
        find: "    await threads.run<SwitchInput, void>(switchJobReference, input);",
        replace: "    await threads.run<SwitchInput, void>(removeJobReference, input);\n" +
          "    await threads.run<SwitchInput, void>(switchJobReference, input);",
      },
    ],
    subject: "memory",
    seedsMax: 0,
    everyCall: "crash",
  },
  {
    name: "a snapshot comes into force before its name is on the device",
    edits: [{ file: `${memory}/current-file.ts`, find: "    file.syncSync();\n", replace: "" }],
    subject: "memory",
    seedsMax: 60,
  },
  {
    name: "cursors and snapshots of the memory engine see what is written later",
    edits: [
      {
        file: `${memory}/record-store.ts`,
        find: "return this.heap.indexOf(ref) <= this.views.newest;",
        replace: "return false;",
      },
    ],
    subject: "memory",
    seedsMax: 60,
  },
  {
    name: "a growing hash table loses a key",
    edits: [
      {
        file: `${memory}/hash-table.ts`,
        find: "this.#place(old[at * 2], ref);",
        replace: "if (at !== 5) this.#place(old[at * 2], ref);",
      },
    ],
    subject: "memory",
    seedsMax: 60,
  },
  {
    name: "the memory engine returns what has expired",
    edits: [
      {
        file: `${memory}/record-store.ts`,
        find: "if (kind !== batchKindPutExpiring) return true;",
        replace: "if (timeMs === undefined) return true;",
      },
    ],
    subject: "memory",
    seedsMax: 100,
  },
];

for (const fault of faults) {
  const { crashAfter } = fault;
  const cutShort = crashAfter === undefined ? "" : `, power lost ${crashAfter} calls later,`;
  const everyCall = fault.everyCall === undefined ? "" : `${fault.everyCall} at every call${cutShort} and `;
  const effort = fault.kept ?? `${everyCall}at most ${fault.seedsMax} seeds`;
  test(`planted: ${fault.name} (${fault.subject}, ${effort})`, async (context) => {
    const found = await findPlanted(fault);
    assert.ok(found !== undefined, `not found with ${effort}`);
    context.diagnostic(`${found.place}, ${found.runs} runs: ${found.message.slice(0, 200)}`);
    assert.doesNotMatch(found.message, /SyntaxError|ReferenceError|is not a function/);
  });
}

test("nothing is found where nothing was planted", async () => {
  for (const subject of ["bare-engine", "log", "memory"]) {
    assert.equal(await findPlanted({ name: "none", edits: [], subject, seedsMax: 40 }), undefined);
  }
});
