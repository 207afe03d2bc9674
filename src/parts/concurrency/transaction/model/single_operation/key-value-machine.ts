/**
 * The state machine of key-value writes, in front of the one that applies all other commands.
 *
 * Algorithm of `apply`:
 *   1. A command of another kind goes to the machine behind.
 *   2. All conditions are evaluated on the state before the command, at the entry's time; the first that fails
 *      refuses the whole of it.
 *   3. Otherwise all changes go to the engine as one batch under the entry's index and time, then, in the same turn,
 *      into the row cache.
 * `admit`, before the entry is logged, is that of the machine behind: from the lengths in the command where that is
 * enough, else by the very batch, once nothing is in flight.
 * Invariants:
 *   1. Deterministic in (state, index, entry): whether a row has expired is judged by the entry's time alone. Where
 *      the engine drops expired rows it must judge by entries too (`expiryTime: "entry"`), or a replay would find
 *      absent what was there.
 *   2. Rows of one command share its index as their version.
 *   3. A refused command writes nothing.
 * Source: etcd's Txn; LevelDB's atomic batches.
 */
import { assert } from "../../../../../kit/assert.ts";
import type { CatalogStore } from "../../../../architecture/catalog/catalog-store.ts";
import type { Table } from "../../../../architecture/catalog/table.ts";
import type { InFlight, LogEntry, StateMachine } from "../../../../replication/replicated-log.ts";
import { type Demand, noDemand, type StorageEngine } from "../../../../storage/engine.ts";
import type { RowLayout } from "../../../../storage/layout/row-layout.ts";
import type { Cache } from "../../../../storage/page_io/cache.ts";
import { batchKindPut, WriteBatch } from "../../../../storage/write-batch.ts";
import type { WriteResult } from "../../key-value-store.ts";
import { ChangeReader, changesDemand, changesKind, flagAbsent, flagPresent, flagVersions } from "./change-codec.ts";
import type { SharedRows } from "./shared-rows.ts";
import { type KeyValueTableSpec, readExpiry, readVersion, RowWriter, unfitness } from "./key-value-table.ts";

export interface KeyValueMachineDoors {
  readonly engine: StorageEngine;
  readonly catalog: CatalogStore;
  readonly layout: RowLayout;
  readonly cache?: Cache | undefined;
  readonly table: KeyValueTableSpec;
  /**
   * Whether the engine may drop rows that have expired: where nobody else reads the table, or others do through
   * `sharedRows`.
   */
  readonly dropExpired: boolean;
  /** Where a query language reads and writes the table, too. */
  readonly sharedRows?: SharedRows | undefined;
}

/** What `apply` answers beside the results of writes: the table cannot take them. */
export interface TableUnfit {
  readonly kind: "unfit";
  readonly reason: string;
}

const keptBatchBytesMax = 4 << 20;

export class KeyValueMachine implements StateMachine {
  readonly #doors: KeyValueMachineDoors;
  readonly #behind: StateMachine;
  readonly #rows: RowWriter;
  #batch = new WriteBatch(64 * 1024);
  #appliedIndex: number;
  #table: Table | undefined;
  #catalogVersion = -1;
  #unfit: string | undefined;
  /** Highest time of the entries applied. */
  #timeMs = 0;

  constructor(doors: KeyValueMachineDoors, behind: StateMachine) {
    this.#doors = doors;
    this.#behind = behind;
    this.#rows = new RowWriter(doors.layout);
    this.#appliedIndex = behind.appliedIndex;
    doors.sharedRows?.follow(() => this.table());
  }

  get appliedIndex(): number {
    return this.#appliedIndex;
  }

  get durableIndex(): number {
    return this.#behind.durableIndex;
  }

  get timeMs(): number {
    return this.#timeMs;
  }

  async recovered(index: number): Promise<void> {
    await this.#behind.recovered?.(index);
  }

  backpressure(): Promise<void> | undefined {
    return this.#behind.backpressure();
  }

  /** The store's table, or undefined where the catalog has none that fits. */
  table(): Table | undefined {
    const { catalog, table } = this.#doors;
    if (catalog.version !== this.#catalogVersion) {
      const found = catalog.find(table.name);
      this.#unfit = unfitness(found, table);
      this.#table = this.#unfit === undefined ? found : undefined;
      this.#catalogVersion = catalog.version;
    }
    return this.#table;
  }

  get unfitReason(): string {
    return this.#unfit ?? "";
  }

  /** Errors: CORRUPTION, FORMAT_UNKNOWN, LIMIT_EXCEEDED. */
  admit(entry: LogEntry, inFlight: InFlight): Demand | undefined {
    const { room } = this.#doors.engine;
    if (room === undefined) return noDemand;
    const { command, timestampMs } = entry;
    // The steps of a query language are judged by the time of their entry, also when they are only tried.
    if (inFlight.commands === 0) this.#doors.sharedRows?.beginEntry(Math.max(this.#timeMs, timestampMs));
    if (command[0] !== changesKind) {
      return this.#behind.admit === undefined ? noDemand : this.#behind.admit(entry, inFlight);
    }
    const demand = changesDemand(command);
    if (room.holds(demand, inFlight)) return demand;
    if (inFlight.commands > 0) return undefined;
    const table = this.table();
    if (table === undefined || this.#refusal(table, entry) !== undefined) return noDemand;
    this.#fill(table, entry, 0n);
    return this.#batch.count === 0 ? noDemand : room.admit(this.#batch, timestampMs);
  }

  /** Errors: CORRUPTION, FORMAT_UNKNOWN and the engine's; the state is then unchanged. */
  apply(index: number, entry: LogEntry): unknown {
    this.#timeMs = Math.max(this.#timeMs, entry.timestampMs);
    this.#doors.sharedRows?.beginEntry(this.#timeMs);
    const result = entry.command[0] === changesKind
      ? this.#applyChanges(index, entry)
      : this.#behind.apply(index, entry);
    this.#appliedIndex = index;
    return result;
  }

  #applyChanges(index: number, entry: LogEntry): WriteResult | TableUnfit {
    assert(index > this.#appliedIndex, `entry ${index} comes after ${this.#appliedIndex} was applied`);
    const table = this.table();
    if (table === undefined) return { kind: "unfit", reason: this.unfitReason };
    const refused = this.#refusal(table, entry);
    if (refused !== undefined) return refused;
    const version = BigInt(index);
    this.#fill(table, entry, version);
    const { engine, cache } = this.#doors;
    const batch = this.#batch;
    if (batch.count > 0) engine.applySync(batch, index, entry.timestampMs);
    if (cache !== undefined) this.#tellCache(cache);
    if (batch.byteLength > keptBatchBytesMax) this.#batch = new WriteBatch(64 * 1024);
    return { kind: "written", version };
  }

  #refusal(table: Table, entry: LogEntry): WriteResult | undefined {
    const { engine, layout } = this.#doors;
    const conditional = flagAbsent | flagPresent | flagVersions;
    const reader = new ChangeReader(entry.command);
    if (!reader.isConditional) return undefined;
    for (let change = 0; reader.next(); change++) {
      if ((reader.flags & conditional) === 0) continue;
      const row = engine.getSync(this.#rows.key(table, reader.key));
      const expiry = row === undefined ? undefined : readExpiry(layout, table, row);
      const there = row !== undefined && (expiry === undefined || expiry > entry.timestampMs);
      const version = there ? readVersion(layout, table, row) : undefined;
      if (!holds(reader, version)) return { kind: "refused", change, version };
    }
    return undefined;
  }

  #fill(table: Table, entry: LogEntry, version: bigint): void {
    const batch = this.#batch;
    batch.clear();
    const reader = new ChangeReader(entry.command);
    while (reader.next()) {
      const { key, value, ttlMs } = reader;
      if (value === undefined) {
        batch.delete(this.#rows.key(table, key));
        continue;
      }
      const expiresAtMs = ttlMs === undefined ? undefined : entry.timestampMs + ttlMs;
      const options = expiresAtMs !== undefined && this.#doors.dropExpired ? { expiresAtMs } : undefined;
      this.#rows.row(table, { key, value, version, expiresAtMs }, (rowKey, row) => batch.put(rowKey, row, options));
    }
  }

  /** Rows that expire are not cached: who asks the cache without a time could not judge them. */
  #tellCache(cache: Cache): void {
    this.#batch.forEach((kind, bytes, keyStart, keyEnd, valueEnd) => {
      const key = bytes.subarray(keyStart, keyEnd);
      if (kind === batchKindPut) cache.update(key, bytes.subarray(keyEnd, valueEnd));
      else cache.invalidate(key);
    });
  }
}

function holds({ flags, versions }: ChangeReader, version: bigint | undefined): boolean {
  if ((flags & flagAbsent) !== 0 && version !== undefined) return false;
  if ((flags & flagPresent) !== 0 && version === undefined) return false;
  return (flags & flagVersions) === 0 || (version !== undefined && versions.includes(version));
}
