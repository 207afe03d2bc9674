/** Robust summaries of small samples. All throw INVALID_ARGUMENT on an empty sample or a non-number. */
import { LatheError } from "../../kit/errors.ts";

export function mean(values: readonly number[]): number {
  requireSample(values);
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The standard deviation of values whose true mean is known to be zero, as that of A/A launches. */
export function rootMeanSquare(values: readonly number[]): number {
  requireSample(values);
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
}

/** Sample standard deviation with n − 1; zero for a single value. */
export function standardDeviation(values: readonly number[]): number {
  const centre = mean(values);
  if (values.length === 1) return 0;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Median absolute deviation, scaled so that it estimates the standard deviation of normal values. */
export function medianAbsoluteDeviation(values: readonly number[]): number {
  const centre = median(values);
  return 1.4826 * median(values.map((value) => Math.abs(value - centre)));
}

/**
 * Linear interpolation between order statistics (type 7 of Hyndman and Fan, the default of R and
 * NumPy).
 */
export function quantile(values: readonly number[], probability: number): number {
  requireSample(values);
  if (!(probability >= 0 && probability <= 1)) {
    throw new LatheError("INVALID_ARGUMENT", `a quantile's probability lies in [0, 1], not ${probability}`);
  }
  const sorted = Float64Array.from(values).sort();
  const position = probability * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}

export function requireSample(values: readonly number[]): void {
  if (values.length === 0) throw new LatheError("INVALID_ARGUMENT", "a statistic needs at least one value");
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  throw new LatheError("INVALID_ARGUMENT", `value ${bad} is ${values[bad]}; launch estimates are finite`);
}

/** As `+3.2 %`: the ratio behind a difference of logarithms, for sentences. */
export function percentOf(logRatio: number): string {
  const percent = Math.expm1(logRatio) * 100;
  return `${percent < 0 ? "−" : "+"}${Math.abs(percent).toFixed(Math.abs(percent) < 10 ? 1 : 0)} %`;
}
