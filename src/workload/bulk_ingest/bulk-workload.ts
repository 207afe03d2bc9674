/**
 * BulkWorkload: many records with two secondary indexes, inserted in large statements, then read in pages by an index.
 *
 * Load: `scale` records in key order, as a sync delivers them. Operations afterwards: INGEST, one statement of
 * `ingestRows` new records; PAGE, `pageRows` records of one entitlement after a random place, in key order.
 * Records of different clients never meet: a client takes every `clients`-th block of `ingestRows` numbers, from the
 * first that no record there has reached (`beyond`, by halving the numbers that there can be).
 * Source: the seed's pull request (WritePack, UnpackReadGrants).
 */
import { LatheError } from "../../kit/errors.ts";
import { AliasTable } from "../alias-table.ts";
import { RandomStream } from "../random-stream.ts";
import type { LoadBatch, Operation, OperationStream, Verifier, Workload, WorkloadTable } from "../workload.ts";
import { BulkVerifier } from "./bulk-verifier.ts";
import { entitlementId, externalId, type GrantPools, grantPools, grantRow, payloadLength } from "./grant-record.ts";

/** Records per statement of the load, and of INGEST. */
export const bulkLoadRows = 1000;
export const ingestRows = 100;
export const pageRows = 100;
const recordsMax = 100_000_000;
/** As many numbers as an external_id has room for. */
const numbersMax = 10 ** 12;

/** Weights of INGEST and PAGE. */
export const bulkProfiles: Readonly<Record<string, readonly [number, number]>> = { grants: [50, 50] };

const varchar = (name: string, lengthMax: number) => ({ name, type: "varchar", lengthMax, nullable: false }) as const;

export const grantsTable: WorkloadTable = {
  name: "grants",
  columns: [
    varchar("external_id", 64),
    varchar("entitlement_id", 64),
    varchar("principal_id", 64),
    varchar("payload", payloadLength),
  ],
  primaryKey: ["external_id"],
  indexes: [
    { name: "by_entitlement", columns: ["entitlement_id"] },
    { name: "by_principal", columns: ["principal_id"] },
  ],
};

export class BulkWorkload implements Workload {
  readonly name: string;
  readonly tables = [grantsTable];
  readonly #profile: string;
  readonly #weights: readonly number[];
  readonly #records: number;
  readonly #pools: GrantPools;
  #firstNew: number;

  /** The content is the same for every data seed: a record follows from its number. Errors: INVALID_ARGUMENT. */
  constructor(profile: string, records: number, _dataSeed: number) {
    if (!Object.hasOwn(bulkProfiles, profile)) {
      const known = Object.keys(bulkProfiles).join(", ");
      throw new LatheError("INVALID_ARGUMENT", `bulk_ingest has no profile "${profile}"; there are ${known}`);
    }
    if (!Number.isInteger(records) || records < 1 || records > recordsMax) {
      throw new LatheError("INVALID_ARGUMENT", `bulk_ingest needs 1 to ${recordsMax} records, not ${records}`);
    }
    this.name = `bulk_ingest-${profile}`;
    this.#profile = profile;
    this.#weights = bulkProfiles[profile];
    this.#records = records;
    this.#pools = grantPools(records);
    this.#firstNew = records;
  }

  async beyond(
    isAnyAfter: (table: string, column: string, key: string) => Promise<boolean>,
  ): Promise<BulkWorkload> {
    let low = this.#records - 1;
    let high = numbersMax - 1;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (await isAnyAfter(grantsTable.name, "external_id", externalId(middle))) low = middle + 1;
      else high = middle;
    }
    const continued = new BulkWorkload(this.#profile, this.#records, 0);
    continued.#firstNew = this.#records + Math.ceil((low + 1 - this.#records) / ingestRows) * ingestRows;
    return continued;
  }

  *load(rowsMax: number): Iterable<LoadBatch> {
    for (let from = 0; from < this.#records; from += rowsMax) {
      const count = Math.min(rowsMax, this.#records - from);
      yield { table: "grants", rows: Array.from({ length: count }, (_, i) => grantRow(from + i, this.#pools)) };
    }
  }

  client(seed: number, clientNumber: number, clientCount: number): OperationStream {
    return new BulkStream(this.#weights, this.#records, this.#firstNew, this.#pools, seed, clientNumber, clientCount);
  }

  verifier(): Verifier {
    return new BulkVerifier(this.#records, this.#pools);
  }
}

class BulkStream implements OperationStream {
  readonly #random: RandomStream;
  readonly #operations: AliasTable;
  readonly #records: number;
  readonly #firstNew: number;
  readonly #pools: GrantPools;
  readonly #clientNumber: number;
  readonly #clientCount: number;
  #blocks = 0;

  constructor(
    weights: readonly number[],
    records: number,
    firstNew: number,
    pools: GrantPools,
    seed: number,
    clientNumber: number,
    clientCount: number,
  ) {
    this.#random = new RandomStream(seed, 0xb17c, clientNumber);
    this.#operations = new AliasTable(weights);
    this.#records = records;
    this.#firstNew = firstNew;
    this.#pools = pools;
    this.#clientNumber = clientNumber;
    this.#clientCount = clientCount;
  }

  next(): Operation {
    return this.#operations.next(this.#random) === 0 ? this.#ingest() : this.#page();
  }

  #ingest(): Operation {
    const block = this.#blocks++ * this.#clientCount + this.#clientNumber;
    const from = this.#firstNew + block * ingestRows;
    const rows = Array.from({ length: ingestRows }, (_, i) => grantRow(from + i, this.#pools));
    return { name: "INGEST", transaction: false, steps: [{ kind: "insertRows", table: "grants", rows }] };
  }

  #page(): Operation {
    const value = entitlementId(this.#random.below(this.#pools.entitlements));
    const after = externalId(this.#random.below(this.#records));
    const step = { kind: "page", table: "grants", column: "entitlement_id", value, after, limit: pageRows } as const;
    return { name: "PAGE", transaction: false, steps: [step] };
  }
}
