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

const backwards = {
  point: "conditions-at-apply",
  file: nodeLog,
  found: "    for (const proposal of this.#waiting.takeAll()) {\n      const { command } = proposal;",
  replacement: "    for (const proposal of this.#waiting.takeAll().reverse()) {\n      const { command } = proposal;",
};

const forgottenCache = {
  point: "cache-in-turn",
  file: `${oneShot}/state-machine.ts`,
  found: "    if (cache !== undefined) {\n",
  replacement: "    if (cache !== undefined && index % 2 === 0) {\n",
};

export const plantedFaults: readonly PlantedFault[] = [
  { ...backwards, example: "embedded", door: "embedded" },
  { ...backwards, example: "taobench-o" },
  { ...forgottenCache, example: "taobench-o" },
  { ...backwards, example: "sndv-kv", door: "key-value" },
  {
    point: "cache-in-turn",
    example: "sndv-kv",
    door: "key-value",
    file: "parts/concurrency/transaction/model/single_operation/key-value-machine.ts",
    found: "    if (cache !== undefined) this.#tellCache(cache);\n",
    replacement: "    if (cache !== undefined && index % 2 === 0) this.#tellCache(cache);\n",
  },
  {
    point: "index-with-row",
    example: "bulk-ingest",
    file: `${oneShot}/state-machine.ts`,
    found: "    this.#indexWrites?.addTo(batch);\n",
    replacement: "    if (this.#appliedIndex % 2 === 0) this.#indexWrites?.addTo(batch);\n",
  },
  {
    point: "commit-validated",
    example: "ycsb-a-relaxed",
    file: "parts/concurrency/transaction/model/single_node_acid/read-set.ts",
    found: "    if (this.#keys.size === 0 && this.#ranges.length === 0) return undefined;\n",
    replacement: "    if (this.#keys.size < 100 && this.#ranges.length === 0) return undefined;\n",
  },
  {
    point: "commit-durable",
    example: "ycsb-a-relaxed",
    file: nodeLog,
    found: "await this.#log.sync()",
    replacement: "void this.#log.sync()",
    // What a cache shows before it is durable is gone after a kill.
    also: ["cache-in-turn", "conditions-at-apply", "commits-share-flush"],
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
    replacement: "result >= 2n * int64Min && result <= 2n * int64Max",
  },
  {
    point: "declared-length",
    example: "taobench-o",
    file: "parts/query_processing/execution/model/point_api/value-coercion.ts",
    found: "text.length > lengthMax && characterCount(text) > lengthMax",
    replacement: "Buffer.byteLength(text) > lengthMax",
  },
];
