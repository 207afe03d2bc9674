/**
 * Traces of key numbers with the shapes that published traces are known for, from a seed. The published ones
 * themselves (LIRS, ARC, UCSD) have no licence to be kept here; `hit-ratio.bench.ts` reads them from files.
 */
export type Trace = Uint32Array;

/** A generator of uniform numbers in [0, 1): mulberry32. */
export function uniform(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Independent draws by popularity, rank r with weight 1 / (r + 1)^theta: web and key-value traffic. */
export function zipf(count: number, theta: number, length: number, seed: number, base = 0): Trace {
  const cumulative = new Float64Array(count);
  let sum = 0;
  for (let rank = 0; rank < count; rank++) cumulative[rank] = sum += (rank + 1) ** -theta;
  const random = uniform(seed);
  return Uint32Array.from({ length }, () => base + firstAtLeast(cumulative, random() * sum));
}

/** The same keys over and over, in order, as in LIRS's `loop` and `gli`: LRU's worst case. */
export function loop(count: number, length: number, base = 0): Trace {
  return Uint32Array.from({ length }, (_, at) => base + (at % count));
}

/** A popular set whose traffic is broken by scans over keys that are never used again. */
export function scanMixed(length: number, seed: number): Trace {
  const hot = zipf(10_000, 0.9, length, seed);
  let fresh = 1_000_000;
  return hot.map((key, at) => (at % 20_000 < 8000 ? fresh++ : key));
}

/** Each key a few times shortly after one another and never again, as in `corda`: recency is all there is. */
export function recencyOnly(length: number, seed: number, base = 2_000_000): Trace {
  const random = uniform(seed);
  const trace = new Uint32Array(length);
  let fresh = base;
  for (let at = 0; at < length; at++) {
    // A key within the last 200 positions is used again with 60 %.
    const back = 1 + Math.floor(random() * Math.min(at, 200));
    trace[at] = at > 0 && random() < 0.6 ? trace[at - back] : fresh++;
  }
  return trace;
}

/** Recency, then a loop, then recency: no fixed size of the window serves all of it. */
export function shifting(seed: number): Trace {
  return joined([recencyOnly(150_000, seed), loop(700, 300_000), recencyOnly(150_000, seed + 1, 3_000_000)]);
}

/** A loop, a popular set and a scan at once, one access of each in turn, as in LIRS's `multi3`. */
export function interleaved(length: number, seed: number): Trace {
  const popular = zipf(5000, 1, length, seed);
  return popular.map((key, at) => (at % 3 === 0 ? key : at % 3 === 1 ? 100_000 + ((at / 3) % 800) : 1_000_000 + at));
}

/** A popular set that is another one every `period` accesses. */
export function movingHotSet(length: number, period: number, seed: number): Trace {
  return zipf(20_000, 1, length, seed).map((key, at) => key + 5000 * Math.floor(at / period));
}

export function joined(traces: readonly Trace[]): Trace {
  const whole = new Uint32Array(traces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const trace of traces) {
    whole.set(trace, at);
    at += trace.length;
  }
  return whole;
}

/** The first position whose value is not below `wanted`. */
function firstAtLeast(ascending: Float64Array, wanted: number): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
