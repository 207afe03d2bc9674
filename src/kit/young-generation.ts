/**
 * Keeps the young generation of a long-lived server small.
 *
 * V8 doubles the space that it makes new objects in whenever as many bytes have outlived it as it has room for, however
 * long that took: under a steady load it comes to 128 MiB per thread, all of it resident, on no other ground than that
 * time has passed. Its own limit (`--max-semi-space-size`) can only be given before the process starts; but the factor
 * of growth is looked at every time, and 1 means none.
 *   1. Let it grow once, to `bytesMax`, when it first wants to.
 *   2. Then end the growth, for all threads of the process.
 * It is for whoever owns the process, as `main.js` of a product does, and not for a library.
 */
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

/** A second growth takes as many surviving bytes as the first one gave room for; that takes longer. */
const lookEveryMs = 20;
/** What V8 begins with. */
const halfBytesMin = 1 << 20;
/** Both halves together. A load of single puts is no slower with it than with what V8 would take. */
const defaultBytesMax = 8 << 20;

/** Lets the young generation grow to `bytesMax` and no further; returns what stops looking. */
export function boundYoungGeneration(bytesMax = defaultBytesMax): () => void {
  const before = youngGenerationBytes();
  // Each half has a power of two; of the second one not all need be there yet.
  const half = 2 ** Math.ceil(Math.log2(Math.max(halfBytesMin, before / 2)));
  const factor = Math.max(1, Math.floor(bytesMax / 2 / half));
  growBy(factor);
  if (factor === 1) return () => undefined;
  const timer = setInterval(() => {
    if (youngGenerationBytes() <= 2 * half) return;
    growBy(1);
    clearInterval(timer);
  }, lookEveryMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** What the young generation of this thread takes now. */
export function youngGenerationBytes(): number {
  const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space");
  return space?.space_size ?? 0;
}

function growBy(factor: number): void {
  setFlagsFromString(`--semi-space-growth-factor=${factor}`);
}
