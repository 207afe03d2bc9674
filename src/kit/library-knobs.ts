/**
 * The knobs of a library: `knobs.yaml` beside its wiring, and over it what its program gives to `open`. Read once per
 * opening. Where the file is not there, for a bundler took the code alone, the defaults stand in its place.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { knobValuesOf, parseKnobFile } from "./knob-file.ts";
import { type KnobDefinition, resolveKnobs } from "./knob-table.ts";
import type { KnobValues } from "./knob-values.ts";

/** A complete assignment. Errors: INVALID_ARGUMENT, naming every wrong line or knob. */
export function libraryKnobs(
  directory: string | undefined, table: readonly KnobDefinition[], given: KnobValues = {},
): Record<string, number | string | boolean> {
  const file = directory === undefined ? undefined : join(directory, "knobs.yaml");
  const lines = file !== undefined && existsSync(file) ? parseKnobFile(readFileSync(file, "utf8"), file) : [];
  return resolveKnobs(table, { ...knobValuesOf(lines), ...given });
}
