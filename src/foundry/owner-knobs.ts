/**
 * Knob values that the owner of a product set, and which of them its next build takes over.
 *
 * Steps:
 *   1. what `knobs.yaml` says and the build would not have written of itself is the owner's. The manifest keeps what it
 *   would have written (`knobDefaults`); for products that are older than this list, it is the catalog's default;
 *   2. of these, values that the next product has no knob or no range for are dropped, each with the reason; where the
 *   rest breaks a constraint, so is the rest.
 * Invariant: each value of the owner's is carried or dropped, and both are told.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { knobValuesOf, parseKnobFile } from "../kit/knob-file.ts";
import { constraintProblems, defaultsOf, valueProblem } from "../kit/knob-table.ts";
import type { KnobValues } from "../kit/product.ts";
import type { Knob } from "../knobs/knob.ts";
import { productPutAside } from "./product-directory.ts";
import { readManifest } from "./product-manifest.ts";

export interface DroppedKnob {
  readonly name: string;
  readonly value: number | string | boolean;
  readonly because: string;
}

export interface OwnerKnobs {
  readonly carried: KnobValues;
  readonly dropped: readonly DroppedKnob[];
}

const none: OwnerKnobs = { carried: {}, dropped: [] };

/**
 * Of the product in this directory, for the next one with these knobs; `granted`: what that would have by its contract
 * instead of the defaults. Errors: INVALID_ARGUMENT for a `knobs.yaml` that cannot be read; those of `readManifest`.
 */
export function ownerKnobs(directory: string, knobs: readonly Knob[], granted: KnobValues): OwnerKnobs {
  const place = productPutAside(directory) ?? directory;
  const file = join(place, "knobs.yaml");
  const manifest = readManifest(place);
  if (manifest === undefined || !existsSync(file)) return none;
  const defaults = defaultsOf(knobs);
  const written = manifest.knobDefaults ?? defaults;
  const found = Object.entries(knobValuesOf(parseKnobFile(readFileSync(file, "utf8"), file)));
  const own = found.filter(([name, value]) => value !== written[name]);
  const carried: Record<string, number | string | boolean> = {};
  const dropped: DroppedKnob[] = [];
  for (const [name, value] of own) {
    const knob = knobs.find((one) => one.name === name);
    const because = knob === undefined ? "this product has no such knob" : valueProblem(knob, value);
    if (because === undefined) carried[name] = value;
    else dropped.push({ name, value, because });
  }
  const broken = constraintProblems(knobs, { ...defaults, ...granted, ...carried });
  if (broken.length === 0) return { carried, dropped };
  const late = Object.entries(carried).map(([name, value]) => ({ name, value, because: broken.join("; ") }));
  return { carried: {}, dropped: [...dropped, ...late] };
}
