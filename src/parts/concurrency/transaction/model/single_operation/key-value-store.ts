/**
 * The key-value store over a replicated log: writes become commands, reads ask row cache and engine in their turn.
 *
 *   1. `createKeyValueMachine` stands before the log is opened, in front of the machine of all other commands;
 *   `openKeyValueStore` behind it, once there is a log.
 *   2. A write is checked against the limits and encoded where it comes in; conditions wait for its turn in the log.
 *   3. A read asks the cache, then the engine, and offers the cache what it found.
 * Expired rows are hidden from reads here, whatever the engine still holds.
 */
import type { Clock } from "../../../../../kit/env/env.ts";
import { LatheError } from "../../../../../kit/errors.ts";
import type { Metric } from "../../../../../kit/metric.ts";
import type { Table } from "../../../../architecture/catalog/table.ts";
import type { ReplicatedLog, StateMachine } from "../../../../replication/replicated-log.ts";
import type { ScanRange, Snapshot } from "../../../../storage/engine.ts";
import type { CommandCodec } from "../../command.ts";
import type {
  KeyRange, KeyValueChange, KeyValueItem, KeyValueStore, KeyValueView, WriteResult,
} from "../../key-value-store.ts";
import { ChangeWriter } from "./change-codec.ts";
import { KeyValueMachine, type KeyValueMachineDoors, type TableUnfit } from "./key-value-machine.ts";
import { readItem, RowWriter, tableOf } from "./key-value-table.ts";
import { SharedRows, type SharedRowsOptions } from "./shared-rows.ts";

export interface KeyValueStoreOptions extends KeyValueMachineDoors {
  readonly env: { readonly clock: Clock };
  readonly log: ReplicatedLog;
  readonly machine: KeyValueMachine;
  /** For the command that creates the table. */
  readonly codec: CommandCodec;
  /** Bytes of one write; the log must take an entry of this size. Default: 16 MiB. */
  readonly writeBytesMax?: number | undefined;
}

export function createKeyValueMachine(doors: KeyValueMachineDoors, behind: StateMachine): KeyValueMachine {
  return new KeyValueMachine(doors, behind);
}

/** Engine and cache for the parts of a query language that has the store's table, too. */
export function shareRows(options: SharedRowsOptions): SharedRows {
  return new SharedRows(options);
}

export function openKeyValueStore(options: KeyValueStoreOptions): KeyValueStore {
  return new LoggedKeyValueStore(options);
}

const defaultWriteBytesMax = 16 << 20;

class LoggedKeyValueStore implements KeyValueStore {
  readonly keyBytesMax: number;
  readonly valueBytesMax: number;
  readonly writeBytesMax: number;
  readonly #options: KeyValueStoreOptions;
  readonly #changes: ChangeWriter;
  readonly #rows: RowWriter;
  #reads = 0;
  #found = 0;
  #cacheHits = 0;
  #cacheMisses = 0;
  #written = 0;
  #writes = 0;
  #refused = 0;

  constructor(options: KeyValueStoreOptions) {
    this.#options = options;
    this.keyBytesMax = options.table.keyBytesMax;
    this.valueBytesMax = options.table.valueBytesMax;
    this.writeBytesMax = options.writeBytesMax ?? defaultWriteBytesMax;
    this.#changes = new ChangeWriter(this.writeBytesMax);
    this.#rows = new RowWriter(options.layout);
  }

  async prepare(): Promise<void> {
    const { machine, codec, log, table } = this.#options;
    if (machine.table() !== undefined) return;
    const steps = [{ kind: "createTable", table: tableOf(table), ifNotExists: true }] as const;
    await log.propose(codec.encode({ steps }));
    this.#table();
  }

  get(key: Uint8Array): KeyValueItem | undefined {
    this.#reads++;
    const table = this.#table();
    if (key.length === 0 || key.length > this.keyBytesMax) return undefined;
    const row = this.#row(this.#rows.key(table, key));
    if (row === undefined) return undefined;
    const item = { key, value: row, version: 0n, expiresAtMs: undefined };
    readItem(this.#options.layout, table, row, item);
    if (this.#hasExpired(item)) return undefined;
    this.#found++;
    return item;
  }

  async write(changes: readonly KeyValueChange[]): Promise<WriteResult> {
    this.#changes.begin();
    for (const change of changes) this.#changes.add(change, this.keyBytesMax, this.valueBytesMax);
    const { result } = await this.#options.log.propose(this.#changes.finish());
    const outcome = result as WriteResult | TableUnfit;
    if (outcome.kind === "unfit") throw unfit(outcome.reason);
    if (outcome.kind === "written") {
      this.#written += changes.length;
      this.#writes++;
    } else this.#refused++;
    return outcome;
  }

  view(): KeyValueView {
    return this.#options.engine.snapshot();
  }

  scan(range: KeyRange, visit: (item: KeyValueItem) => boolean, view?: KeyValueView): void {
    const { layout, engine } = this.#options;
    const table = this.#table();
    const snapshot = view as Snapshot | undefined;
    const cursor = engine.scan({ ...this.#engineRange(table, range), ...(snapshot === undefined ? {} : { snapshot }) });
    try {
      while (cursor.next()) {
        const key = layout.decodeKey(table, cursor.key)[0] as Uint8Array;
        const item = { key, value: cursor.value, version: 0n, expiresAtMs: undefined };
        readItem(layout, table, cursor.value, item);
        if (!this.#hasExpired(item) && !visit(item)) return;
      }
    } finally {
      cursor.close();
    }
  }

  metrics(): Metric[] {
    const counter = (name: string, help: string, value: number): Metric => ({ kind: "counter", name, help, value });
    return [
      counter("kv_reads_total", "Keys asked for.", this.#reads),
      counter("kv_reads_found_total", "Keys asked for that were there.", this.#found),
      counter("kv_row_cache_hits_total", "Reads that the row cache answered.", this.#cacheHits),
      counter("kv_row_cache_misses_total", "Reads that went on to the engine.", this.#cacheMisses),
      counter("kv_writes_total", "Writes, each of one or more changes.", this.#writes),
      counter("kv_changes_total", "Keys put or deleted.", this.#written),
      counter("kv_refused_writes_total", "Writes whose condition did not hold.", this.#refused),
    ];
  }

  #table(): Table {
    const { machine } = this.#options;
    const table = machine.table();
    if (table === undefined) throw unfit(machine.unfitReason);
    return table;
  }

  #row(key: Uint8Array): Uint8Array | undefined {
    const { cache, engine } = this.#options;
    if (cache === undefined) return engine.getSync(key);
    const cached = cache.get(key, this.#nowMs());
    if (cached !== undefined) {
      this.#cacheHits++;
      return cached;
    }
    this.#cacheMisses++;
    const epoch = cache.epoch();
    const row = engine.getSync(key);
    if (row !== undefined) this.#offer(key, row, epoch);
    return row;
  }

  /** A row that expires is not offered: others ask the cache without a time. */
  #offer(key: Uint8Array, row: Uint8Array, epoch: number): void {
    const { cache, layout } = this.#options;
    const item = { value: row, version: 0n, expiresAtMs: undefined as number | undefined };
    readItem(layout, this.#table(), row, item);
    if (item.expiresAtMs === undefined) cache?.fill(key, row, epoch);
  }

  #nowMs(): number {
    return Math.max(this.#options.env.clock.nowMs(), this.#options.machine.timeMs);
  }

  #hasExpired(item: { readonly expiresAtMs: number | undefined }): boolean {
    return item.expiresAtMs !== undefined && item.expiresAtMs <= this.#nowMs();
  }

  #engineRange(table: Table, { from, after, to, prefix }: KeyRange): ScanRange {
    const { layout } = this.#options;
    const all = layout.encodeKey(table, []);
    const lows = [all];
    const highs = [layout.prefixEnd(all)];
    if (from !== undefined) lows.push(layout.encodeKey(table, [from]));
    // The encoding ends a text by 00 01, so what has one more byte is the next key there can be.
    if (after !== undefined) lows.push(Buffer.concat([layout.encodeKey(table, [after]), new Uint8Array(1)]));
    if (to !== undefined) highs.push(layout.encodeKey(table, [to]));
    if (prefix !== undefined && prefix.length > 0) {
      // Without its terminator of two bytes the encoded prefix is a prefix of every encoded key that begins with it.
      const encoded = layout.encodeKey(table, [prefix]).subarray(0, -2);
      lows.push(encoded);
      highs.push(layout.prefixEnd(encoded));
    }
    const [gte] = lows.sort(Buffer.compare).reverse();
    const [lt] = highs.sort(Buffer.compare);
    return { gte, lt: Buffer.compare(gte, lt) > 0 ? gte : lt };
  }
}

function unfit(reason: string): LatheError {
  return new LatheError("NOT_FOUND", `${reason}: the key-value store cannot work on it`);
}
