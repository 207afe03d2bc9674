/**
 * VersionHistory: which versions of what was overwritten a read may still find, where writers do not wait for one
 * another.
 *
 * A version is stale for a read that began at r if another write of the same name began after that version had been
 * acknowledged and was itself acknowledged before r; of two concurrent writes either may have been the last. Version 0
 * is that of the load. Times are those of the caller's logical clock.
 * Memory: per written name the versions that some read in flight may still see.
 */
interface Version {
  readonly version: number;
  readonly issuedAt: number;
  acknowledgedAt: number;
  supersededAt: number;
}

/** Versions superseded longer ago than this many events are dropped: no read is in flight for so long. */
const eventsInFlightMax = 4096;

export class VersionHistory {
  readonly #written = new Map<string, Version[]>();

  issue(name: string, version: number, clock: number): void {
    const entry = { version, issuedAt: clock, acknowledgedAt: Infinity, supersededAt: Infinity };
    const versions = this.#written.get(name);
    const loaded = { version: 0, issuedAt: 0, acknowledgedAt: 0, supersededAt: Infinity };
    if (versions === undefined) this.#written.set(name, [loaded, entry]);
    else versions.push(entry);
  }

  acknowledge(name: string, version: number, clock: number): void {
    const versions = this.#written.get(name) as Version[];
    const mine = versions.find((entry) => entry.version === version) as Version;
    mine.acknowledgedAt = clock;
    for (const entry of versions) {
      if (entry.acknowledgedAt < mine.issuedAt && entry.supersededAt === Infinity) entry.supersededAt = clock;
    }
    const oldest = clock - eventsInFlightMax;
    if (versions.length > 8) this.#written.set(name, versions.filter((entry) => entry.supersededAt > oldest));
  }

  /** Whether a read that began at `floor` may find a version. `fresh`: nobody else has written since the load. */
  mayRead(name: string, version: number, floor: number, fresh: boolean): boolean {
    const versions = this.#written.get(name);
    if (versions === undefined && (version === 0 || !fresh)) return true;
    const known = versions?.find((entry) => entry.version === version);
    return known !== undefined && known.supersededAt > floor;
  }
}
