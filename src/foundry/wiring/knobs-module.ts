/** Writes `knobs.ts` of a product: what may be set, within which bounds. */
import type { Knob } from "../../knobs/knob.ts";
import { literal } from "./literal.ts";

/** `knobs.ts`: the table that `resolveKnobs` checks against, and the type of a resolved assignment. */
export function knobsModule(knobs: readonly Knob[]): string {
  const fields = knobs.map((knob) => `  readonly ${JSON.stringify(knob.name)}: ${typeOf(knob)};`);
  const rows = knobs.map((knob) => {
    const { name, type, default: fallback, min, max, choices, constraints } = knob;
    const live = knob.effect === "restart" ? undefined : true;
    return `  ${literal({ name, type, default: fallback, min, max, choices, live, constraints })},`;
  });
  return [
    "/** The knobs of this product: what may be set, within which bounds. Documentation is in `knobs.yaml`. */",
    'import type { KnobDefinition } from "./kit/knob-table.ts";',
    "",
    "export interface Knobs {",
    ...fields,
    "}",
    "",
    "export const knobTable: readonly KnobDefinition[] = [",
    ...rows,
    "];",
    "",
  ].join("\n");
}

function typeOf(knob: Knob): string {
  if (knob.type === "boolean") return "boolean";
  if (knob.type !== "choice") return "number";
  return (knob.choices ?? []).map((choice) => JSON.stringify(choice)).join(" | ");
}
