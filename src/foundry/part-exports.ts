/**
 * What a product's wiring imports of its parts, and under which names.
 *
 * A part keeps the names that it exports (`part.yaml`, `exports`), so `product.ts` reads as if written by hand. Where
 * two parts export one name, that of the later role gets its role behind it: `import { open as openOfLog }`.
 */
import { LatheError } from "../kit/errors.ts";
import type { SelectedParts } from "./composition.ts";
import { type Role, roleNames } from "./role.ts";

interface Place {
  /** Relative to the product. */
  readonly file: string;
  readonly name: string;
}

/** Errors: INVALID_ARGUMENT where the part in the role exports nothing for the slot. */
function placeOf(selected: SelectedParts, role: Role, slot: string): Place {
  const part = selected[role];
  const named = part?.exports[slot];
  if (part === undefined || named === undefined) {
    const who = part?.name ?? "nobody";
    const advice = "add it to exports in part.yaml";
    const message = `the wiring calls ${slot} of the role ${role}, and ${who} exports nothing for it; ${advice}`;
    throw new LatheError("INVALID_ARGUMENT", message, { details: { role, slot, part: part?.path } });
  }
  const [file, name] = named.includes("#") ? named.split("#") : [part.entry, named];
  return { file: `parts/${part.path}/${file}`, name };
}

/** The name by which the wiring calls what stands behind a slot. Errors: INVALID_ARGUMENT where there is nothing. */
export function called(selected: SelectedParts, role: Role, slot: string): string {
  const { name } = placeOf(selected, role, slot);
  const before = roleNames.slice(0, roleNames.indexOf(role));
  const taken = before.some((other) => selected[other] !== undefined && exportedNames(selected, other).includes(name));
  return taken ? `${name}Of${role[0].toUpperCase()}${role.slice(1)}` : name;
}

function exportedNames(selected: SelectedParts, role: Role): string[] {
  return Object.values(selected[role]?.exports ?? {}).map((named) => named.split("#").at(-1) ?? named);
}

export type UsedSlots = readonly (readonly [role: Role, slot: string])[];

/** Files of the parts that hold what is used, relative to the source root. */
export function filesOfSlots(selected: SelectedParts, used: UsedSlots): string[] {
  return [...new Set(used.map(([role, slot]) => placeOf(selected, role, slot).file))];
}

/** `[module, names]` per file, for import statements. */
export function importsOfSlots(selected: SelectedParts, used: UsedSlots): [string, string][] {
  const byFile = Map.groupBy(used, ([role, slot]) => placeOf(selected, role, slot).file);
  return [...byFile].map(([file, slots]) => {
    const names = slots.map(([role, slot]) => {
      const { name } = placeOf(selected, role, slot);
      const local = called(selected, role, slot);
      return local === name ? name : `${name} as ${local}`;
    });
    return [`./${file}`, `{ ${[...new Set(names)].join(", ")} }`];
  });
}
