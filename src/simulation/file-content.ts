/**
 * FileContent: the bytes of one file as the process sees them, and as the device holds them.
 *
 *   1. A write goes into the page cache (`bytes`) and onto a list of what the device lacks (`unsynced`).
 *   2. `sync` moves what was on the list when the sync began to the device (`durable`).
 *   3. A failed sync gives its writes up: they stay in the page cache as if they were clean, and no later sync
 *      brings them to the device (the fsync surprise of 2018). Under memory pressure the cache forgets them too.
 *   4. A crash leaves the durable bytes and, sector by sector, some version between them and the newest: the sector
 *      after none, some or all of the writes that touched it since. Which, decides the `Fate`.
 * Source: ALICE (Pillai et al. 2014) for what file systems may leave; Rebello et al. 2020 for failed syncs;
 * FoundationDB's AsyncFileNonDurable.
 */
export const sectorBytes = 512;

interface Change {
  readonly sequence: number;
  readonly position: number;
  readonly bytes: Uint8Array;
  /** For a truncation: the length afterwards. */
  readonly truncatedTo: number;
}

/** What a crash does to unsynced writes. */
export interface Fate {
  /** Unit within which all bytes are of one version: 512 or 4096. */
  readonly unitBytes: number;
  /** Writes with a lower sequence number reach a unit; drawn anew for every unit where `perUnit`. */
  cutoff(oldest: number, newest: number): number;
  readonly perUnit: boolean;
  /** Whether a grown file has its last length, with zeros where nothing arrived. */
  keepsLength(): boolean;
}

export class FileContent {
  bytes = new Uint8Array(0);
  length = 0;
  /** Names and open handles do not matter here: the disk counts space by the names. */
  names = 0;
  #durable = new Uint8Array(0);
  #durableLength = 0;
  #unsynced: Change[] = [];
  /** Whether the cache holds, as if clean, what the device lacks. */
  #differs = false;

  /** Sequence number of the newest unsynced write, or 0. */
  get newestUnsynced(): number {
    return this.#unsynced.length === 0 ? 0 : this.#unsynced[this.#unsynced.length - 1].sequence;
  }

  get oldestUnsynced(): number {
    return this.#unsynced.length === 0 ? 0 : this.#unsynced[0].sequence;
  }

  get hasUnsynced(): boolean {
    return this.#unsynced.length > 0;
  }

  /** Whether a sync has failed and the page cache still hides it. */
  get hidesLoss(): boolean {
    return this.#differs;
  }

  write(position: number, bytes: Uint8Array, sequence: number): void {
    this.#putCached(position, bytes);
    this.#unsynced.push({ sequence, position, bytes, truncatedTo: -1 });
  }

  truncate(length: number, sequence: number): void {
    if (length > this.length) return this.write(this.length, new Uint8Array(length - this.length), sequence);
    this.length = length;
    this.#unsynced.push({ sequence, position: 0, bytes: new Uint8Array(0), truncatedTo: length });
  }

  /** Brings everything up to a sequence number to the device. */
  sync(upTo: number): void {
    const staying: Change[] = [];
    for (const change of this.#unsynced) {
      if (change.sequence > upTo) staying.push(change);
      else this.#putDurable(change);
    }
    this.#unsynced = staying;
  }

  /** A sync that failed: some of it reached the device, the rest never will. */
  giveUp(fate: Fate): void {
    if (this.#unsynced.length === 0) return;
    this.#putSurviving(fate);
    this.#unsynced = [];
    this.#differs = true;
  }

  /** The page cache loses what is clean: reads see what the device has. */
  evict(): void {
    const cached = new Uint8Array(Math.max(this.length, this.#durableLength));
    cached.set(this.#durable.subarray(0, Math.min(this.#durableLength, cached.length)));
    this.bytes = cached;
    this.#differs = false;
    for (const { position, bytes, truncatedTo } of this.#unsynced) {
      if (truncatedTo < 0) this.#putCached(position, bytes);
    }
  }

  /** Damages a bit, on the device and in the cache. */
  flip(position: number, bit: number): void {
    if (position < this.length) this.bytes[position] ^= 1 << bit;
    if (position < this.#durableLength) this.#durable[position] ^= 1 << bit;
  }

  /** The file after a crash. */
  survivor(fate: Fate): FileContent {
    const left = new FileContent();
    left.#durable = this.#durable.slice(0, this.#durableLength);
    left.#durableLength = this.#durableLength;
    left.#unsynced = this.#unsynced;
    left.#putSurviving(fate);
    left.#unsynced = [];
    if (this.length > left.#durableLength && fate.keepsLength()) left.#growDurable(this.length);
    left.bytes = left.#durable.slice(0, left.#durableLength);
    left.length = left.#durableLength;
    return left;
  }

  /** Brings some version of each unit to the device. */
  #putSurviving(fate: Fate): void {
    const changes = this.#unsynced;
    if (changes.length === 0) return;
    const oldest = changes[0].sequence;
    const newest = changes[changes.length - 1].sequence;
    const whole = fate.perUnit ? 0 : fate.cutoff(oldest, newest);
    const cutoffs = new Map<number, number>();
    const cutoffOf = (unit: number) => {
      if (!fate.perUnit) return whole;
      let cutoff = cutoffs.get(unit);
      if (cutoff === undefined) cutoffs.set(unit, (cutoff = fate.cutoff(oldest, newest)));
      return cutoff;
    };
    for (const change of changes) this.#putSurvivingUnits(change, fate.unitBytes, cutoffOf);
  }

  #putSurvivingUnits(change: Change, unitBytes: number, cutoffOf: (unit: number) => number): void {
    if (change.truncatedTo >= 0) {
      if (change.sequence < cutoffOf(-1)) this.#putDurable(change);
      return;
    }
    const { position, bytes, sequence } = change;
    for (let at = 0; at < bytes.length; ) {
      const unit = Math.floor((position + at) / unitBytes);
      const end = Math.min((unit + 1) * unitBytes - position, bytes.length);
      if (sequence < cutoffOf(unit)) this.#putDurableBytes(position + at, bytes.subarray(at, end));
      at = end;
    }
  }

  #putCached(position: number, bytes: Uint8Array): void {
    const end = position + bytes.length;
    if (end > this.bytes.length) {
      const larger = new Uint8Array(Math.max(end, this.bytes.length * 2));
      larger.set(this.bytes.subarray(0, this.length));
      this.bytes = larger;
    }
    if (position > this.length) this.bytes.fill(0, this.length, position);
    this.bytes.set(bytes, position);
    this.length = Math.max(this.length, end);
  }

  #putDurable({ position, bytes, truncatedTo }: Change): void {
    if (truncatedTo < 0) return this.#putDurableBytes(position, bytes);
    if (truncatedTo < this.#durableLength) this.#durable.fill(0, truncatedTo, this.#durableLength);
    this.#durableLength = Math.min(this.#durableLength, truncatedTo);
  }

  #putDurableBytes(position: number, bytes: Uint8Array): void {
    this.#growDurable(position + bytes.length);
    this.#durable.set(bytes, position);
  }

  #growDurable(length: number): void {
    if (length > this.#durable.length) {
      const larger = new Uint8Array(Math.max(length, this.#durable.length * 2));
      larger.set(this.#durable.subarray(0, this.#durableLength));
      this.#durable = larger;
    }
    this.#durableLength = Math.max(this.#durableLength, length);
  }
}
