/**
 * MemoryRoom: whether there is memory for a batch, asked before it is logged; and room made for what is logged.
 *
 *   1. What live entries may come to is the limit: a put counts its lengths and its share of the indexes, as if its key
 *   were new.
 *   2. Cells are another matter, for old versions that views hold take them, too. Puts are admitted to half as much
 *   again as the limit; what is reserved beyond is for deletes, which go on, and for what the log holds.
 *   3. Before a put is refused, old versions that nobody sees go, and so does what has expired. Where they are held by
 *   the engine's own snapshot, which ends, the put waits for that; where by others, which may never end, it is refused.
 *   4. What is logged is applied. Where cells run out all the same, everything above is tried once more, and then the
 *   batch cannot be applied here (BACKPRESSURE, which ends the log; the next start applies it).
 * Source: Redis' maxmemory and its eviction before a command is refused.
 */
import { LatheError } from "../../../../kit/errors.ts";
import type { Demand, WriteRoom } from "../../engine.ts";
import type { WriteBatch } from "../../write-batch.ts";
import { type Buried, nothingBuried, reclaimedAtOnce, RecordStore } from "./record-store.ts";

/** Before a put is refused for want of memory, so many slots are looked at for what has expired. */
const sweptBeforeRefusal = 1 << 16;
/** So much there must be for any put, or writers wait for a snapshot under way. */
const shortBytesMax = 1 << 22;

interface RoomDoors {
  /** Errors: LIMIT_EXCEEDED. */
  checkLimits(batch: WriteBatch): void;
  isSnapshotRunning(): boolean;
}

/** What a batch takes of the arena. */
interface Want {
  readonly bytes: number;
  readonly operations: number;
  readonly puts: boolean;
  readonly buried: Buried;
}

export class MemoryRoom implements WriteRoom {
  readonly #store: RecordStore;
  readonly #limitBytes: number;
  readonly #doors: RoomDoors;
  /** What was not admitted last and waits for a snapshot to end. */
  #wanted: Want | undefined;
  /** Batches refused. */
  refused = 0;

  constructor(store: RecordStore, limitBytes: number, doors: RoomDoors) {
    this.#store = store;
    this.#limitBytes = limitBytes;
    this.#doors = doors;
  }

  get entryBytesHighest(): number {
    return this.#store.heap.lengthHighest;
  }

  holds(demand: Demand, inFlight: Demand): boolean {
    const store = this.#store;
    const entries = demand.entries + inFlight.entries;
    const bytes = demand.bytes + inFlight.bytes;
    if (demand.puts === 0) return store.canHold(bytes, entries);
    // A put counts some 50 bytes beside its own at most.
    return store.liveBytes + bytes * 1.125 + entries * 64 <= this.#limitBytes && store.hasRoom(bytes, entries);
  }

  admit(batch: WriteBatch, timeMs: number): Demand | undefined {
    const store = this.#store;
    this.#doors.checkLimits(batch);
    store.expiry.advance(timeMs);
    const weight = RecordStore.putWeight(batch.encode());
    const buried = store.buriedBy(batch.encode());
    const { count, byteLength } = batch;
    const want = { bytes: byteLength, operations: count, puts: weight > 0, buried };
    if (!this.#fits(want)) {
      if (!this.#doors.isSnapshotRunning() || store.followedCount === 0) throw this.#heldError();
      this.#wanted = want;
      return undefined;
    }
    this.judge(batch, this.#limitBytes, weight);
    return { puts: weight > 0 ? count : 0, entries: count + buried.keys, bytes: byteLength + buried.bytes };
  }

  /** Refuses a batch that puts live entries beyond a limit. */
  judge(batch: WriteBatch, limitBytes: number, weight = RecordStore.putWeight(batch.encode())): void {
    const store = this.#store;
    if (weight === 0 || store.liveBytes + weight <= limitBytes) return;
    if (store.expiringCount > 0) store.sweep(sweptBeforeRefusal);
    if (store.liveBytes + weight > limitBytes) throw this.#fullError(limitBytes);
  }

  /** Whether a snapshot under way keeps so many old versions that writers had better wait for its end. */
  isShort(): boolean {
    const store = this.#store;
    const wanted = this.#wanted;
    this.#wanted = undefined;
    if (store.followedCount === 0 || !this.#doors.isSnapshotRunning()) return false;
    const bytes = Math.min(shortBytesMax, this.#limitBytes / 16);
    if (wanted === undefined && store.hasRoom(bytes, 1)) return false;
    if (this.#fits(wanted ?? { bytes, operations: 1, puts: true, buried: nothingBuried })) return false;
    this.#wanted = wanted;
    return true;
  }

  /** For a batch that is applied next, whatever the limit says. Errors: BACKPRESSURE. */
  makeRoom(batch: WriteBatch): void {
    const store = this.#store;
    const isEasy = batch.rangeDeleteCount === 0 || store.views.newest < 0;
    if (isEasy && store.canHold(batch.byteLength, batch.count)) return;
    const buried = isEasy ? nothingBuried : store.buriedBy(batch.encode());
    if (this.#fits({ bytes: batch.byteLength, operations: batch.count, puts: false, buried })) return;
    const { liveBytes } = store;
    throw new LatheError(
      "BACKPRESSURE",
      `no memory for a write that is logged, beside ${liveBytes} bytes of entries and the old versions that ` +
        "snapshots and cursors hold; restart, if need be with a higher memory.bytes_max",
      { details: { liveBytes, bytesMax: this.#limitBytes } },
    );
  }

  /** Whether there are cells for it, if need be once old versions that nobody sees went, and what has expired. */
  #fits({ bytes, operations, puts, buried }: Want): boolean {
    const store = this.#store;
    const fits = () => store.canHold(bytes, operations, buried) && (!puts || store.hasRoom(bytes, operations));
    if (fits()) return true;
    while (store.reclaim(reclaimedAtOnce));
    if (!fits() && store.expiringCount > 0) store.sweep(2 * store.hashed.slotCount);
    return fits();
  }

  #fullError(bytesMax: number): LatheError {
    this.refused++;
    const { liveBytes } = this.#store;
    return new LatheError(
      "LIMIT_EXCEEDED",
      `no memory for this write: entries take ${liveBytes} of ${bytesMax} bytes (memory.bytes_max); reads and ` +
        "deletes go on: delete some, or restart with a higher limit",
      { details: { liveBytes, bytesMax } },
    );
  }

  #heldError(): LatheError {
    this.refused++;
    const { followedCount } = this.#store;
    return new LatheError(
      "LIMIT_EXCEEDED",
      `no memory for this write: old versions (${followedCount}) that snapshots and cursors still see take what ` +
        "there is beside the entries; end the oldest transactions and scans, or restart with a higher memory.bytes_max",
      { details: { oldVersions: followedCount, bytesMax: this.#limitBytes } },
    );
  }
}
