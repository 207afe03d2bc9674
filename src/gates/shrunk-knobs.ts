/**
 * Knobs that make rare events common: tiny memtables, caches and files, so that a short run flushes, compacts
 * and evicts many times. Knobs that the product does not have are left out.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { KnobValues } from "../kit/product.ts";
import type { GateSubject } from "./gate.ts";

const shrunk: KnobValues = {
  "lsm.memtable_bytes": 1 << 20,
  "lsm.block_cache_bytes": 1 << 20,
  "lsm.target_file_bytes": 1 << 20,
  "lsm.level_base_bytes": 4 << 20,
  "memory.snapshot_bytes_min": 1 << 20,
  "row_cache.bytes": 1 << 20,
  "wal.segment_bytes": 1 << 20,
};

/** The subject's knobs with the ones above, as far as the product's `knobs.yaml` names them. */
export function shrunkKnobs(subject: GateSubject): KnobValues {
  const text = readFileSync(join(subject.productDirectory, "knobs.yaml"), "utf8");
  const known = Object.entries(shrunk).filter(([name]) => new RegExp(`^"?${name}"?:`, "m").test(text));
  return { ...subject.knobs, ...Object.fromEntries(known) };
}
