/**
 * DamagedTable: stands in a version for an SSTable that cannot be opened, because it is damaged or gone, so that the
 * rest of the store can be used.
 *
 * Its keys are known from the manifest. A read that would need the table throws what is wrong with it, and never goes
 * on to older tables, whose versions the lost ones may have replaced. Reads outside of its keys pass it by, and newer
 * versions in tables above it hide it. A compaction that takes it fails with the same error.
 */
import { compareBytes } from "../../../../../../kit/compare.ts";
import { ByteWriter } from "../../../../../../kit/byte-writer.ts";
import type { DiskFile } from "../../../../../../kit/env/env.ts";
import type { LatheError } from "../../../../../../kit/errors.ts";
import type { BlockCache } from "./block-cache.ts";
import { noBytes } from "./entry-iterator.ts";
import type { FileMeta } from "./file-meta.ts";
import { lookupAbsent } from "./lookup.ts";
import type { ReadCounters } from "./read-counters.ts";
import { Table } from "./table.ts";
import { tableHeaderBytes, tableVersion, trailerBytes } from "./table-format.ts";
import type { TableSections } from "./table-layout.ts";
import { noProperties } from "./table-properties.ts";

export class DamagedTable extends Table {
  readonly error: LatheError;

  constructor(meta: FileMeta, path: string, error: LatheError, cache: BlockCache, counters: ReadCounters) {
    super(meta, fileOf(path, error), sectionsOf(meta), cache, counters);
    this.error = error;
  }

  override find(key: Uint8Array): number {
    const { smallest, largest } = this.meta;
    if (compareBytes(key, smallest) < 0 || compareBytes(key, largest) > 0) return lookupAbsent;
    throw this.error;
  }

  override block(): never {
    throw this.error;
  }

  override loadBlock(): Promise<void> {
    return Promise.reject(this.error);
  }
}

/** One block that begins with the smallest key; its length does not matter, since nothing can be read. */
function sectionsOf(meta: FileMeta): TableSections {
  const index = new ByteWriter();
  index.varint(1);
  index.lengthPrefixed(meta.smallest);
  index.varint(0);
  const end = { offset: tableHeaderBytes + trailerBytes(tableVersion), length: 0 };
  return {
    version: tableVersion,
    footer: {
      filter: end, prefixFilter: end, rangeTombstones: end, index: end, properties: end, sizeBytes: meta.sizeBytes,
    },
    filter: noBytes,
    prefixFilter: noBytes,
    rangeTombstones: noBytes,
    index: index.finish(),
    properties: meta,
    extra: noProperties,
  };
}

function fileOf(path: string, error: LatheError): DiskFile {
  const fail = (): never => {
    throw error;
  };
  return {
    path,
    readSync: fail,
    read: () => Promise.reject(error),
    writeSync: fail,
    sync: () => Promise.reject(error),
    syncSync: fail,
    allocateSync: fail,
    truncateSync: fail,
    sizeSync: fail,
    close: () => undefined,
  };
}
