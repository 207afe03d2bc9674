/**
 * A key-value workload: numbered keys `key0000000`, values of letters that follow from key and version.
 *
 * `sndv` has the mix of SNDV-KV's own benchmark (single puts, batches of 100, gets; uniform, 64 letters), `a`, `b`, `c`
 * and `e` the shares and the skew of YCSB's core workloads over a key-value store (puts in place of updates of a field;
 * in `e` puts in place of inserts, so that every scan can be verified to its last key). No key is ever deleted.
 * Sources: SNDV-KV's benchmark; YCSB core, workloads/workload[a-e].
 */
import { keyValueColumns } from "../../contract/key-value-table.ts";
import { LatheError } from "../../kit/errors.ts";
import { AliasTable } from "../alias-table.ts";
import { type KeyDistribution, ScrambledZipfianKeys, UniformKeys } from "../key-distribution.ts";
import { RandomStream } from "../random-stream.ts";
import type {
  CellValue, LoadBatch, Operation, OperationStream, PutItem, Verifier, Workload, WorkloadTable,
} from "../workload.ts";
import { fieldValue, keyHashOfText } from "../ycsb/ycsb-value.ts";
import { type KeyValueShape, KeyValueVerifier } from "./key-value-verifier.ts";

const operationNames = ["PUT", "BATCH", "GET", "SCAN"] as const;

interface KeyValueProfile {
  /** Weights in the order of `operationNames`. */
  readonly weights: readonly number[];
  readonly distribution: "uniform" | "zipfian";
  readonly valueLength: number;
}

export const keyValueProfiles: Readonly<Record<string, KeyValueProfile>> = {
  sndv: { weights: [25, 25, 50, 0], distribution: "uniform", valueLength: 64 },
  a: { weights: [50, 0, 50, 0], distribution: "zipfian", valueLength: 100 },
  b: { weights: [5, 0, 95, 0], distribution: "zipfian", valueLength: 100 },
  c: { weights: [0, 0, 100, 0], distribution: "zipfian", valueLength: 100 },
  e: { weights: [5, 0, 0, 95], distribution: "zipfian", valueLength: 100 },
};

/** Items of a batch, of a group of the load, and at most of a scan. */
export const batchItems = 100;
export const keyValueLoadRows = 500;
const scanLengthMax = 100;
const recordsMax = 10_000_000;
const keyDigits = 7;

const tables: readonly WorkloadTable[] = [
  { name: "kv", columns: keyValueColumns(1024, 65_535), primaryKey: ["k"] },
];

export function keyOf(number: number): string {
  return `key${String(number).padStart(keyDigits, "0")}`;
}

export class KeyValueWorkload implements Workload {
  readonly name: string;
  readonly tables = tables;
  readonly #profile: KeyValueProfile;
  readonly #records: number;

  /** The keys are the same for every data seed. Errors: INVALID_ARGUMENT. */
  constructor(profile: string, records: number) {
    if (!Object.hasOwn(keyValueProfiles, profile)) {
      const known = Object.keys(keyValueProfiles).join(", ");
      throw new LatheError("INVALID_ARGUMENT", `key_value has no workload "${profile}"; there are ${known}`);
    }
    if (!Number.isInteger(records) || records < batchItems || records > recordsMax) {
      const range = `${batchItems} to ${recordsMax}`;
      throw new LatheError("INVALID_ARGUMENT", `key_value needs ${range} keys, not ${records}`);
    }
    this.name = `key_value-${profile}`;
    this.#profile = keyValueProfiles[profile];
    this.#records = records;
  }

  *load(rowsMax: number): Iterable<LoadBatch> {
    const { valueLength } = this.#profile;
    for (let first = 0; first < this.#records; first += rowsMax) {
      const rows: CellValue[][] = [];
      for (let number = first; number < Math.min(first + rowsMax, this.#records); number++) {
        const key = keyOf(number);
        rows.push([key, fieldValue(keyHashOfText(key), 0, 0, valueLength)]);
      }
      yield { table: "kv", rows };
    }
  }

  client(seed: number, clientNumber: number, clientCount: number): OperationStream {
    return new KeyValueStream(this.#profile, this.#records, seed, clientNumber, clientCount);
  }

  verifier(fresh = true): Verifier {
    const shape: KeyValueShape = {
      records: this.#records,
      valueLength: this.#profile.valueLength,
      keyOf,
      numberOf: (key) => Number(key.slice(3)),
    };
    return new KeyValueVerifier(shape, fresh);
  }
}

class KeyValueStream implements OperationStream {
  readonly #random: RandomStream;
  readonly #operations: AliasTable;
  readonly #keys: KeyDistribution;
  readonly #records: number;
  readonly #valueLength: number;
  readonly #clientCount: number;
  /** No two clients ever use the same one. */
  #version: number;

  constructor(profile: KeyValueProfile, records: number, seed: number, clientNumber: number, clientCount: number) {
    this.#random = new RandomStream(seed, 0x6b76, clientNumber);
    this.#operations = new AliasTable(profile.weights);
    this.#keys = profile.distribution === "uniform" ? new UniformKeys() : new ScrambledZipfianKeys();
    this.#records = records;
    this.#valueLength = profile.valueLength;
    this.#clientCount = clientCount;
    this.#version = 1 + clientNumber;
  }

  next(): Operation {
    const name = operationNames[this.#operations.next(this.#random)];
    switch (name) {
      case "PUT":
        return this.#put(name, 1);
      case "BATCH":
        return this.#put(name, batchItems);
      case "GET":
        return { name, transaction: false, steps: [{ kind: "read", table: "kv", key: [this.#key()] }] };
      case "SCAN": {
        const limit = 1 + this.#random.below(scanLengthMax);
        return { name, transaction: false, steps: [{ kind: "scan", table: "kv", from: [this.#key()], limit }] };
      }
    }
  }

  /** Of a batch no two items have the same key: which of them counts is not asked here. */
  #put(name: string, count: number): Operation {
    const version = this.#version;
    this.#version += this.#clientCount;
    const items: PutItem[] = [];
    const drawn = new Set<string>();
    while (items.length < count) {
      const key = this.#key();
      if (count > 1 && drawn.size === drawn.add(key).size) continue;
      items.push({ key, value: fieldValue(keyHashOfText(key), 0, version, this.#valueLength) });
    }
    return { name, transaction: false, steps: [{ kind: "put", table: "kv", items, version }] };
  }

  #key(): string {
    return keyOf(this.#keys.next(this.#random, this.#records));
  }
}
