/**
 * A selection: the chosen leaves and parts of one product, with the hash that its files carry.
 *
 * The hash covers what decides the formats on disk: leaves and the parts that implement them. Knob values and the code
 * inside a part do not change it, so a tuned product opens the data of an untuned one.
 */
import type { Contract } from "../contract/contract.ts";
import { canonicalHash } from "../contract/canonical-json.ts";
import type { PartDescriptor } from "./part-descriptor.ts";
import type { SelectedParts } from "./parts-list.ts";

export interface SelectedPart {
  readonly role: string;
  readonly name: string;
  readonly path: string;
  readonly leaves: readonly string[];
}

export interface Selection {
  readonly version: 1;
  readonly contract: string;
  readonly contractHash: string;
  readonly leaves: readonly string[];
  readonly parts: readonly SelectedPart[];
  /** SHA-256 in hex; its first 16 bytes stand in the header of every file of the product. */
  readonly hash: string;
}

export function makeSelection(contract: Contract, selected: SelectedParts): Selection {
  const parts = Object.entries(selected).map(([role, part]) => ({
    role,
    name: part.name,
    path: part.path,
    leaves: part.leaves,
  }));
  const leaves = [...new Set(parts.flatMap((part) => part.leaves))].sort();
  const hash = canonicalHash({ leaves, parts: parts.map(({ role, name }) => ({ role, name })) });
  return { version: 1, contract: contract.name, contractHash: canonicalHash(contract), leaves, parts, hash };
}

export interface Plan {
  readonly version: 1;
  /** Parts by layer: each needs only ports that earlier layers provide. */
  readonly layers: readonly (readonly string[])[];
}

/** Kahn's algorithm by layers over the ports that parts require and provide. */
export function makePlan(parts: readonly PartDescriptor[]): Plan {
  const layers: string[][] = [];
  let waiting = [...parts].sort((one, other) => (one.path < other.path ? -1 : 1));
  while (waiting.length > 0) {
    // A port that no selected part provides (a shared vocabulary of types) does not hold anything up.
    const blocked = (part: PartDescriptor) =>
      part.requires.some((port) => waiting.some((other) => other !== part && other.provides.includes(port)));
    const ready = waiting.filter((part) => !blocked(part));
    // Parts that need one another's ports are built together.
    const layer = ready.length > 0 ? ready : waiting;
    layers.push(layer.map((part) => part.name));
    waiting = waiting.filter((part) => !layer.includes(part));
  }
  return { version: 1, layers };
}
