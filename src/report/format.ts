/**
 * Numbers as people read them. Rounded to what a measurement can say; never more than four
 * significant digits.
 */
import type { Knob, KnobValue } from "../knobs/knob.ts";
import { type Candidate, differingKnobs } from "../search/candidate.ts";

const minus = "−";

/** `21,034`. */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString("en-US").replace("-", minus);
}

/** Operations per second: whole ones, or as many digits as a rare operation needs. */
export function formatRate(value: number): string {
  if (!Number.isFinite(value)) return "–";
  return value >= 100 ? formatCount(value) : value.toPrecision(3);
}

/** Latency: `412 µs`, `1.38 ms`, `2.1 s`. */
export function formatLatency(microseconds: number): string {
  if (!Number.isFinite(microseconds)) return "–";
  if (microseconds < 999.5) return `${Math.round(microseconds)} µs`;
  if (microseconds < 999_500) return `${(microseconds / 1000).toPrecision(3)} ms`;
  return `${(microseconds / 1e6).toPrecision(3)} s`;
}

/** `4.2 s`, `3 min 20 s`, `2 h 5 min`. */
export function formatDuration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600)
    return whole % 60 === 0 ? `${whole / 60} min` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(whole / 60);
  return minutes % 60 === 0
    ? `${minutes / 60} h`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/**
 * A ratio as a change: `+9.8 %`; at least one digit behind the point below ten percent, and tenths
 * throughout.
 */
export function formatChange(ratio: number): string {
  if (!Number.isFinite(ratio)) return "–";
  const percent = (ratio - 1) * 100;
  const digits = Math.abs(percent) < 99.95 ? 1 : 0;
  const text = Math.abs(percent).toFixed(digits);
  return `${Number(text) === 0 ? "±" : percent < 0 ? minus : "+"}${text} %`;
}

export function formatMiB(value: number): string {
  return Number.isFinite(value)
    ? `${value >= 100 ? formatCount(value) : value.toFixed(1)} MiB`
    : "–";
}

/** A knob's value with its unit; bytes in powers of 1024. */
export function formatKnobValue(value: KnobValue, knob: Knob | undefined): string {
  if (typeof value === "boolean") return value ? "on" : "off";
  if (typeof value !== "number") return value;
  if (knob?.unit === "bytes") return formatBytes(value);
  const number = Number.isInteger(value) ? formatCount(value) : String(significant(value));
  return knob?.unit === undefined ? number : `${number} ${knob.unit}`;
}

export interface KnobChange {
  readonly name: string;
  readonly from: string;
  readonly to: string;
}

/** In what `candidate` differs from `reference`, in words. */
export function knobChanges(
  candidate: Candidate,
  reference: Candidate,
  table: readonly Knob[],
): KnobChange[] {
  return differingKnobs(candidate, reference).map((name) => {
    const knob = table.find((one) => one.name === name);
    const valueIn = (one: Candidate) => {
      const value = one.knobs[name] ?? knob?.default;
      return value === undefined ? "default" : formatKnobValue(value, knob);
    };
    return { name, from: valueIn(reference), to: valueIn(candidate) };
  });
}

/** `block_cache_bytes 32 MiB → 64 MiB`, joined with commas; the part's name is left out. */
export function describeChanges(changes: readonly KnobChange[]): string {
  if (changes.length === 0) return "defaults";
  return changes.map(({ name, from, to }) => `${shortName(name)} ${from} → ${to}`).join(", ");
}

export function shortName(knobName: string): string {
  return knobName.slice(knobName.indexOf(".") + 1);
}

function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${significant(value)} ${units[unit]}`;
}

function significant(value: number): number {
  return Number(value.toPrecision(3));
}
