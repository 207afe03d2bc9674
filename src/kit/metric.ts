/**
 * Metrics as plain values: a part returns what it counts; surfaces render it (Prometheus text, JSON).
 * Names follow Prometheus: snake_case, base unit last (`_bytes`, `_seconds`, `_total` for counters).
 */
export type Metric = ScalarMetric | HistogramMetric;

export interface ScalarMetric {
  readonly kind: "counter" | "gauge";
  readonly name: string;
  readonly help: string;
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface HistogramMetric {
  readonly kind: "histogram";
  readonly name: string;
  readonly help: string;
  /** Upper bounds, ascending; the last bucket (+Inf) is implied by `count`. */
  readonly buckets: readonly { readonly upperBound: number; readonly cumulativeCount: number }[];
  readonly count: number;
  readonly sum: number;
  readonly labels?: Readonly<Record<string, string>>;
}
