/**
 * For every test point a fault that breaks its invariant across two parts, as a change of one file of a product.
 * Each is small enough to be a slip: an order, an `await`, a unit.
 */
import type { TestDoor } from "./test-point.ts";

export interface PlantedFault {
  /** The test point that must find it. */
  readonly point: string;
  /** An example whose product has that point. */
  readonly example: string;
  /** Of that product's joint tests; SQL where left out. */
  readonly door?: TestDoor;
  readonly file: string;
  readonly found: string;
  readonly replacement: string;
  /** Points beside it whose invariant the fault breaks, too. */
  readonly also?: readonly string[];
}

const oneShot = "parts/concurrency/transaction/model/one_shot_command";
const nodeLog = "parts/replication/single_node/single-node-log.ts";

/** Conditions are judged where a write comes in, to spare the log what would be refused. */
const judgedEarly: readonly PlantedFault[] = [
  {
    point: "conditions-at-apply",
    example: "taobench-o",
    file: "parts/query_processing/execution/model/point_api/point-api.ts",
    found: "    plan.addSteps(parameters, base, steps);\n",
    replacement: `    plan.addSteps(parameters, base, steps);
    const [step] = steps;
    if (step.kind === "update" && "keyPrefix" in step.target) {
      const { engine, layout, catalog } = this.#doors;
      const { tableId, keyPrefix, conditions } = step.target;
      const key = layout.encodeKey(catalog.byId(tableId), keyPrefix);
      const row = engine.getSync(key);
      const present = row === undefined ? [] : layout.decodeRow(catalog.byId(tableId), key, row);
      if (conditions.some(({ ordinal, value }) => present[ordinal] !== value)) {
        plan.answer([{ kind: "changed", matchedRows: 0, changedRows: 0 }], 0, 1, sink, [], 0);
        return Promise.resolve();
      }
    }
`,
  },
  {
    point: "conditions-at-apply",
    example: "sndv-kv",
    door: "key-value",
    file: "parts/concurrency/transaction/model/single_operation/key-value-store.ts",
    found: "    this.#changes.begin();\n",
    replacement: `    for (const { key, condition } of changes) {
      const isThere = this.get(Buffer.from(key)) !== undefined;
      if (condition === "present" && !isThere) return { kind: "refused", change: 0, version: undefined };
    }
    this.#changes.begin();
`,
  },
  {
    point: "conditions-at-apply",
    example: "embedded",
    door: "embedded",
    file: "parts/architecture/model/embedded_library/embedded-library.ts",
    found: "    const set = values.flatMap((value, ordinal) =>\n",
    replacement: "    if (this.get(row as unknown as Key) === undefined) return false;\n" +
      "    const set = values.flatMap((value, ordinal) =>\n",
  },
];

const engine = "parts/storage/storage_model/row/kvlsm/blackboard";
const work = `${engine}/background-work.ts`;

/** The frozen table is let go before the manifest has its file. */
const retiredEarly = {
  point: "frozen-until-listed",
  file: work,
  found: `    await board.versions.commit({
      durableIndex: memtable.lastIndex,
      expiryTimeMs: memtable.timeMs,
      removed: [],
      added,
    });
    board.work.flushes++;
    board.retireOldestImmutable();
`,
  replacement: `    board.work.flushes++;
    board.retireOldestImmutable();
    await board.versions.commit({
      durableIndex: memtable.lastIndex,
      expiryTimeMs: memtable.timeMs,
      removed: [],
      added,
    });
`,
};

/** What goes and what comes are two edits. */
const replacedInTwo = {
  point: "replaced-at-once",
  file: work,
  found: "      await board.versions.commit({ expiryTimeMs: nowMs, removed, added });\n",
  replacement: "      await board.versions.commit({ removed, added: [] });\n" +
    "      await board.versions.commit({ expiryTimeMs: nowMs, removed: [], added });\n",
};

/** A batch is applied while its flush is under way. */
const shownEarly = {
  point: "logged-before-shown",
  file: nodeLog,
  found: "      await this.#applyGroup(durable);\n      durable = (await flushed) === true ? group : [];\n",
  replacement: "      await this.#applyGroup(group);\n      await flushed;\n",
};

/** A file that is used again keeps the header of its former life. */
const keptHeader = {
  point: "log-end-found",
  file: "parts/core/wal/prepare-segment-job.ts",
  found: "    file.writeSync(header, 0, header.length, 0);\n",
  replacement: "    if (recycledName === undefined) file.writeSync(header, 0, header.length, 0);\n",
};

/** The index is that of now, not the last one of the table that was written. */
const namedTooHigh = {
  point: "log-until-state",
  file: work,
  found: "      durableIndex: memtable.lastIndex,\n",
  replacement: "      durableIndex: board.appliedIndex,\n",
  // What came behind the frozen table is lost by a kill.
  also: ["frozen-until-listed"],
};

/** The log goes by what is applied, not by what is in files. */
const givenUpEarly = {
  point: "log-until-state",
  file: nodeLog,
  found: "Math.min(this.#stateMachine.durableIndex, this.#appliedIndex, this.#log.lastIndex - 1)",
  replacement: "Math.min(this.#appliedIndex, this.#log.lastIndex - 1)",
  also: ["log-end-found"],
};

/** Who deletes a row forgets the cache. */
const forgottenCache = {
  point: "cache-in-turn",
  file: `${oneShot}/state-machine.ts`,
  found: "        if (value === undefined) cache.invalidate(key);\n        else cache.update(key, value);\n",
  replacement: "        if (value !== undefined) cache.update(key, value);\n",
};

/** How a command's batch begins. */
const filled = `    batch.clear();
    this.#overlay.forEach((key, value) => {
      if (value === undefined) batch.delete(key);
      else batch.put(key, value);
    });
    this.#indexWrites?.addTo(batch);
`;
const entries = "    this.#indexWrites?.addTo(batch);\n";

export const plantedFaults: readonly PlantedFault[] = [
  ...judgedEarly,
  { ...forgottenCache, example: "taobench-o" },
  {
    point: "cache-in-turn",
    example: "sndv-kv",
    door: "key-value",
    file: "parts/concurrency/transaction/model/single_operation/key-value-machine.ts",
    found: "      else cache.invalidate(key);\n",
    replacement: "",
  },
  {
    point: "index-with-row",
    example: "bulk-ingest",
    file: `${oneShot}/state-machine.ts`,
    // The entries come into what is left of the batch before.
    found: filled,
    replacement: entries + filled.replace(entries, ""),
  },
  {
    point: "commit-validated",
    example: "ycsb-a-relaxed",
    file: "parts/concurrency/transaction/model/single_node_acid/read-set.ts",
    found: "    if (this.#keys.size === 0 && this.#ranges.length === 0) return undefined;\n",
    replacement: "    if (this.#keys.size === 0 || this.#ranges.length === 0) return undefined;\n",
  },
  {
    point: "commit-durable",
    example: "ycsb-a-relaxed",
    file: nodeLog,
    found: "await this.#log.sync()",
    replacement: "void this.#log.sync()",
    // What a cache shows before it is durable is gone after a kill.
    also: [
      "cache-in-turn", "conditions-at-apply", "commits-share-flush", "logged-before-shown", "frozen-until-listed",
      "replaced-at-once", "log-until-state", "log-end-found",
    ],
  },
  {
    point: "commits-share-flush",
    example: "ycsb-a-relaxed",
    file: nodeLog,
    found: "durable = (await flushed) === true ? group : [];",
    replacement: "durable = (await flushed) === true ? [...group, ...this.#appendWaiting()] : [];",
  },
  {
    point: "overflow-raised",
    example: "taobench-o",
    file: `${oneShot}/expression.ts`,
    found: "result >= int64Min && result <= int64Max",
    // One too many, as if both ends were as far from zero.
    replacement: "result >= int64Min && result <= -int64Min",
  },
  {
    point: "declared-length",
    example: "taobench-o",
    file: "parts/query_processing/execution/model/point_api/value-coercion.ts",
    found: "text.length > lengthMax && characterCount(text) > lengthMax",
    replacement: "Buffer.byteLength(text) > lengthMax",
  },
  ...[retiredEarly, replacedInTwo, shownEarly, keptHeader, namedTooHigh].flatMap((fault): PlantedFault[] => [
    { ...fault, example: "taobench-o" },
    { ...fault, example: "sndv-kv", door: "key-value" },
    { ...fault, example: "embedded", door: "embedded" },
  ]),
  { ...givenUpEarly, example: "latency-bound" },
  { ...givenUpEarly, example: "session-store", door: "key-value" },
];
