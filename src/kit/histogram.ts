/**
 * A log-linear histogram of non-negative numbers: every power of two is divided into 64 equal buckets.
 *
 *   1. Values below 64 have a bucket each. A larger value v with 2^e ≤ v < 2^(e+1) falls into one of 64
 *   buckets of width 2^(e-6); the relative error of a reported value is therefore below 1/128 (the
 *   middle of the bucket is reported).
 *   2. Recording is a clz32, a shift and an increment; nothing is allocated.
 *   3. Histograms of the same kind merge by adding counters, so threads and processes can record apart.
 * Fractions are cut off: choose a unit fine enough (microseconds for latencies). `min`, `max`, `sum`
 * are exact. Source: Gil Tene's HdrHistogram; the bucket layout is DDSketch's and Prometheus' native
 * histograms' log-linear cousin.
 */
import { assert } from "./assert.ts";
import type { HistogramMetric } from "./metric.ts";

const subBucketBits = 6;
const subBuckets = 1 << subBucketBits;
const valueBits = 53;
const bucketCount = (valueBits - subBucketBits + 1) * subBuckets;

/** What crosses processes and files: `buckets` as pairs of index and count, empty ones left out. */
export interface HistogramSnapshot {
  readonly buckets: readonly (readonly [number, number])[];
  readonly sum: number;
  readonly min: number;
  readonly max: number;
}

export interface HistogramMetricOptions {
  readonly name: string;
  readonly help: string;
  /**
   * The metric's base unit in recorded units: 1e-6 where microseconds are recorded and seconds
   * reported.
   */
  readonly scale: number;
  readonly labels?: Readonly<Record<string, string>>;
}

export class Histogram {
  readonly #counts = new Float64Array(bucketCount);
  #count = 0;
  #sum = 0;
  #min = Infinity;
  #max = 0;

  get count(): number {
    return this.#count;
  }

  get sum(): number {
    return this.#sum;
  }

  /** 0 when empty, as are `max` and `mean`. */
  get min(): number {
    return this.#count === 0 ? 0 : this.#min;
  }

  get max(): number {
    return this.#max;
  }

  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }

  /** Records a value in [0, 2^53); negative ones, which a clock's rounding may give, count as 0. */
  record(value: number): void {
    this.#counts[bucketOf(value)]++;
    this.#count++;
    this.#sum += value;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
  }

  /**
   * The smallest value that at least `percent` % of the records do not exceed, to within 1/128; 0 when
   * empty.
   */
  percentile(percent: number): number {
    assert(percent >= 0 && percent <= 100, `percent ${percent} lies between 0 and 100`);
    if (this.#count === 0) return 0;
    const rank = Math.max(1, Math.ceil((percent / 100) * this.#count));
    let seen = 0;
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      seen += this.#counts[bucket];
      if (seen >= rank) return Math.min(this.#max, Math.max(this.min, middleOf(bucket)));
    }
    return this.#max;
  }

  merge(other: Histogram): void {
    for (let bucket = 0; bucket < bucketCount; bucket++) this.#counts[bucket] += other.#counts[bucket];
    this.#count += other.#count;
    this.#sum += other.#sum;
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
  }

  clear(): void {
    this.#counts.fill(0);
    this.#count = 0;
    this.#sum = 0;
    this.#min = Infinity;
    this.#max = 0;
  }

  snapshot(): HistogramSnapshot {
    const buckets: [number, number][] = [];
    this.#counts.forEach((count, bucket) => count > 0 && buckets.push([bucket, count]));
    return { buckets, sum: this.#sum, min: this.min, max: this.#max };
  }

  static fromSnapshot(snapshot: HistogramSnapshot): Histogram {
    const histogram = new Histogram();
    for (const [bucket, count] of snapshot.buckets) {
      assert(Number.isInteger(bucket) && bucket >= 0 && bucket < bucketCount && count > 0, "a bucket of a snapshot");
      histogram.#counts[bucket] = count;
      histogram.#count += count;
    }
    histogram.#sum = snapshot.sum;
    histogram.#min = histogram.#count === 0 ? Infinity : snapshot.min;
    histogram.#max = snapshot.max;
    return histogram;
  }

  /**
   * As a Prometheus histogram with one bucket per power of two between the smallest and the largest
   * record. These bounds are bounds of our own buckets, so the cumulative counts are exact.
   */
  toMetric({ name, help, scale, labels }: HistogramMetricOptions): HistogramMetric {
    const buckets: { upperBound: number; cumulativeCount: number }[] = [];
    let cumulativeCount = 0;
    for (let bucket = 0; bucket < bucketCount && this.#count > 0; bucket++) {
      cumulativeCount += this.#counts[bucket];
      const bound = lowerBoundOf(bucket + 1);
      if (cumulativeCount === 0 || !Number.isInteger(Math.log2(bound))) continue;
      buckets.push({ upperBound: bound * scale, cumulativeCount });
      if (cumulativeCount === this.#count) break;
    }
    return { kind: "histogram", name, help, buckets, count: this.#count, sum: this.#sum * scale, labels };
  }
}

function bucketOf(value: number): number {
  if (value < subBuckets) return value > 0 ? Math.trunc(value) : 0;
  if (value < 0x1_0000_0000) {
    const shift = 31 - Math.clz32(value) - subBucketBits;
    return (shift << subBucketBits) + (value >>> shift);
  }
  assert(value <= Number.MAX_SAFE_INTEGER, `a histogram holds values below 2^53, not ${value}`);
  const high = Math.floor(value / 0x1_0000_0000);
  const shift = 63 - Math.clz32(high) - subBucketBits;
  return shift * subBuckets + Math.floor(value / 2 ** shift);
}

function lowerBoundOf(bucket: number): number {
  if (bucket < 2 * subBuckets) return bucket;
  const shift = Math.floor(bucket / subBuckets) - 1;
  return (bucket - shift * subBuckets) * 2 ** shift;
}

function middleOf(bucket: number): number {
  const lower = lowerBoundOf(bucket);
  const width = lowerBoundOf(bucket + 1) - lower;
  return width === 1 ? lower : lower + width / 2;
}
