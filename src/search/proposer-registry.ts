/** Every policy by name: what `--policy` accepts and what its help says. */
import { LatheError } from "../kit/errors.ts";
import { suggestion } from "../kit/suggestion.ts";
import { createGreedyProposer } from "./greedy.ts";
import type { Proposer } from "./proposer.ts";
import { createRandomProposer } from "./random.ts";

export interface ProposerDescription {
  readonly name: string;
  readonly description: string;
  create(): Proposer;
}

export const proposers: readonly ProposerDescription[] = [
  {
    name: "greedy",
    description: "changes one knob of the incumbent at a time, the most promising stride first",
    create: createGreedyProposer,
  },
  {
    name: "random",
    description: "draws points of the space at random, without repeats",
    create: createRandomProposer,
  },
];

/** Errors: INVALID_ARGUMENT with the names that there are. */
export function createProposer(name: string): Proposer {
  const found = proposers.find((proposer) => proposer.name === name);
  if (found !== undefined) return found.create();
  const names = proposers.map((proposer) => proposer.name);
  throw new LatheError(
    "INVALID_ARGUMENT",
    `no policy is named ${name}; there are ${names.join(", ")}${suggestion(name, names)}`,
  );
}
