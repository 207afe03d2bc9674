/**
 * YCSB's core workloads A–F over `usertable`: records of ten fields of 100 letters, keys `user<fnv>`.
 *
 * Mixes and distributions are those of YCSB's workload files. Differences, each because a launch must be
 * reproducible and every read verifiable: values follow from key, field and version; a client reads, of
 * the keys inserted during the run, only its own (whose acknowledgement it has seen).
 * Source: YCSB core, CoreWorkload and workloads/workload[a-f].
 */
import { LatheError } from "../../kit/errors.ts";
import { AliasTable } from "../alias-table.ts";
import { FnvHash } from "../fnv-hash.ts";
import { type KeyDistribution, LatestKeys, ScrambledZipfianKeys } from "../key-distribution.ts";
import { RandomStream } from "../random-stream.ts";
import type {
  CellValue,
  LoadBatch,
  Operation,
  OperationStream,
  Verifier,
  Workload,
  WorkloadTable,
} from "../workload.ts";
import { fieldCount, fieldLength, fieldValue, keyHashOfText } from "./ycsb-value.ts";
import { YcsbVerifier } from "./ycsb-verifier.ts";

const operationNames = ["READ", "UPDATE", "INSERT", "SCAN", "READ-MODIFY-WRITE"] as const;

interface YcsbProfile {
  /** Weights in the order of `operationNames`. */
  readonly weights: readonly number[];
  readonly distribution: "zipfian" | "latest";
}

export const ycsbProfiles: Readonly<Record<string, YcsbProfile>> = {
  a: { weights: [50, 50, 0, 0, 0], distribution: "zipfian" },
  b: { weights: [95, 5, 0, 0, 0], distribution: "zipfian" },
  c: { weights: [100, 0, 0, 0, 0], distribution: "zipfian" },
  d: { weights: [95, 0, 5, 0, 0], distribution: "latest" },
  e: { weights: [0, 0, 5, 95, 0], distribution: "zipfian" },
  f: { weights: [50, 0, 0, 0, 50], distribution: "zipfian" },
};

const scanLengthMax = 100;
/** Records per INSERT of the load: a packet of about 64 KiB. */
export const ycsbLoadRows = 64;
const recordsMax = 1_000_000_000;

const varchar = (name: string, lengthMax: number, nullable: boolean) =>
  ({ name, type: "varchar", lengthMax, nullable }) as const;

export const ycsbTables: readonly WorkloadTable[] = [
  {
    name: "usertable",
    columns: [
      varchar("ycsb_key", 255, false),
      ...Array.from({ length: fieldCount }, (_, field) => varchar(`field${field}`, fieldLength, true)),
    ],
    primaryKey: ["ycsb_key"],
  },
];

const hash = new FnvHash();

/** YCSB's key of a record number, with hashed insert order. */
export function ycsbKey(keyNumber: number): string {
  hash.update(keyNumber);
  return `user${hash.toBigInt()}`;
}

export class YcsbWorkload implements Workload {
  readonly name: string;
  readonly tables = ycsbTables;
  readonly #profile: YcsbProfile;
  readonly #records: number;

  /** The content of YCSB is the same for every data seed: keys are hashes of record numbers. */
  constructor(profile: string, records: number, _dataSeed: number) {
    if (!Object.hasOwn(ycsbProfiles, profile)) {
      const known = Object.keys(ycsbProfiles).join(", ");
      throw new LatheError("INVALID_ARGUMENT", `YCSB has no workload "${profile}"; there are ${known}`);
    }
    if (!Number.isInteger(records) || records < 1 || records > recordsMax) {
      throw new LatheError("INVALID_ARGUMENT", `YCSB needs 1 to ${recordsMax} records, not ${records}`);
    }
    this.name = `ycsb-${profile}`;
    this.#profile = ycsbProfiles[profile];
    this.#records = records;
  }

  *load(rowsMax: number): Iterable<LoadBatch> {
    let rows: CellValue[][] = [];
    for (let record = 0; record < this.#records; record++) {
      rows.push(recordRow(ycsbKey(record)));
      if (rows.length >= rowsMax) {
        yield { table: "usertable", rows };
        rows = [];
      }
    }
    if (rows.length > 0) yield { table: "usertable", rows };
  }

  client(seed: number, clientNumber: number, clientCount: number): OperationStream {
    return new YcsbStream(this.#profile, this.#records, seed, clientNumber, clientCount);
  }

  verifier(fresh = true): Verifier {
    return new YcsbVerifier(fresh);
  }
}

function recordRow(key: string): CellValue[] {
  const keyHash = keyHashOfText(key);
  const row: CellValue[] = [key];
  for (let field = 0; field < fieldCount; field++) row.push(fieldValue(keyHash, field, 0));
  return row;
}

class YcsbStream implements OperationStream {
  readonly #random: RandomStream;
  readonly #operations: AliasTable;
  readonly #keys: KeyDistribution;
  readonly #records: number;
  /** Keys that a scrambled draw ranges over; those not there yet are drawn again. */
  readonly #keyRange: number;
  readonly #clientNumber: number;
  readonly #clientCount: number;
  #inserted = 0;
  #version: number;

  constructor(profile: YcsbProfile, records: number, seed: number, clientNumber: number, clientCount: number) {
    this.#random = new RandomStream(seed, 0x9c5b, clientNumber);
    this.#operations = new AliasTable(profile.weights);
    const latest = profile.distribution === "latest";
    this.#keys = latest ? new LatestKeys(records) : new ScrambledZipfianKeys();
    const insertShare = profile.weights[2] / profile.weights.reduce((sum, weight) => sum + weight, 0);
    this.#records = records;
    this.#keyRange = records + 1 + Math.floor(records * insertShare * 2);
    this.#clientNumber = clientNumber;
    this.#clientCount = clientCount;
    this.#version = 1 + clientNumber;
  }

  next(): Operation {
    const name = operationNames[this.#operations.next(this.#random)];
    switch (name) {
      case "READ":
        return { name, transaction: false, steps: [this.#read(this.#key())] };
      case "UPDATE":
        return { name, transaction: false, steps: [this.#update(this.#key())] };
      case "INSERT":
        return { name, transaction: false, steps: [this.#insert()] };
      case "SCAN": {
        const limit = 1 + this.#random.below(scanLengthMax);
        return { name, transaction: false, steps: [{ kind: "scan", table: "usertable", from: [this.#key()], limit }] };
      }
      case "READ-MODIFY-WRITE": {
        const key = this.#key();
        return { name, transaction: false, steps: [this.#read(key), this.#update(key)] };
      }
    }
  }

  #read(key: string) {
    return { kind: "read", table: "usertable", key: [key] } as const;
  }

  #update(key: string) {
    const field = this.#random.below(fieldCount);
    const version = this.#version;
    this.#version += this.#clientCount;
    const value = fieldValue(keyHashOfText(key), field, version);
    const timestamp = BigInt(version);
    return { kind: "update", table: "usertable", key: [key], timestamp, value, column: `field${field}` } as const;
  }

  #insert() {
    const keyNumber = this.#records + this.#inserted * this.#clientCount + this.#clientNumber;
    this.#inserted++;
    return { kind: "insert", table: "usertable", row: recordRow(ycsbKey(keyNumber)) } as const;
  }

  /** A loaded key, or one that this client has inserted. */
  #key(): string {
    const last = this.#records + this.#inserted * this.#clientCount;
    if (this.#keys instanceof LatestKeys) return ycsbKey(this.#own(this.#keys.next(this.#random, last)));
    for (;;) {
      const drawn = this.#keys.next(this.#random, this.#keyRange);
      if (drawn < last) return ycsbKey(this.#own(drawn));
    }
  }

  /** Of a group of keys that the clients insert at the same time, this client's. */
  #own(keyNumber: number): number {
    if (keyNumber < this.#records) return keyNumber;
    const group = Math.floor((keyNumber - this.#records) / this.#clientCount);
    return this.#records + group * this.#clientCount + this.#clientNumber;
  }
}
