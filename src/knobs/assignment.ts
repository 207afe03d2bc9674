/**
 * Assignments of knob values: what differs, what lies in range, and as a file with its documentation.
 */
import { formatScalar } from "../kit/knob-file.ts";
import type { KnobValues } from "../kit/product.ts";
import type { Knob, KnobValue } from "./knob.ts";

/** The value inside the knob's range and on its grid; for proposers, never for what a person wrote. */
export function clampKnob(knob: Knob, value: KnobValue): KnobValue {
  if (knob.type === "boolean") return typeof value === "boolean" ? value : knob.default;
  if (knob.type === "choice") return knob.choices?.includes(String(value)) ? value : knob.default;
  if (typeof value !== "number" || Number.isNaN(value)) return knob.default;
  const bounded = Math.min(knob.max ?? value, Math.max(knob.min ?? value, value));
  return knob.type === "integer" ? Math.round(bounded) : bounded;
}

export interface KnobDifference {
  readonly name: string;
  readonly from: KnobValue;
  readonly to: KnobValue;
}

/** What `to` changes against `from`, in the catalog's order; a knob that is left out has its default. */
export function diffKnobs(knobs: readonly Knob[], from: KnobValues, to: KnobValues): KnobDifference[] {
  return knobs.flatMap((knob) => {
    const before = from[knob.name] ?? knob.default;
    const after = to[knob.name] ?? knob.default;
    return before === after ? [] : [{ name: knob.name, from: before, to: after }];
  });
}

/** A knob file: every knob with its documentation as a comment above its value. */
export function formatKnobFile(knobs: readonly Knob[], values: KnobValues, header: readonly string[]): string {
  const lines = header.map((line) => `# ${line}`);
  for (const knob of knobs) {
    const value = values[knob.name] ?? knob.default;
    lines.push("", ...wrap(knob.description, 112).map((line) => `# ${line}`), `# ${factsOf(knob)}`);
    for (const constraint of knob.constraints) lines.push(`# Constraint: ${constraint}`);
    lines.push(`${knob.name}: ${formatScalar(value)}`);
  }
  return `${lines.join("\n")}\n`;
}

function factsOf(knob: Knob): string {
  const range = knob.type === "choice"
    ? (knob.choices ?? []).join(" | ")
    : knob.type === "boolean" ? "true | false" : `${knob.min} to ${knob.max}`;
  const unit = knob.unit === undefined ? "" : ` ${knob.unit}`;
  const effect = knob.effect === "files" ? "as files are rewritten" : "at restart";
  const risk = knob.risk === "none" ? "" : `; risk: ${knob.risk}`;
  const impact = `impact: ${knob.impact}${risk}`;
  return `Range: ${range}${unit}; default ${String(knob.default)}; ${impact}; takes effect ${effect}.`;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/).filter((one) => one !== "")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return line === "" ? lines : [...lines, line];
}
