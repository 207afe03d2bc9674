/**
 * From a contract's facts to a closed selection of leaves, each with the reason for it.
 *
 * Steps:
 *   1. what the user asks for is picked, what the user leaves out is excluded;
 *   2. rules decide in order, the first that holds for each point; a rule that contradicts what stands already gives
 *      way, unless it is one that the contract depends on (`must`): then the contradiction is the error;
 *   3. the part of the library that implements a picked leaf brings its other leaves;
 *   4. everything is closed over `requires` and what is mandatory (`plan/closing.ts`); where one of several would do,
 *      one that the library implements is preferred, then one that the best archetype picks, then the first of the
 *      model;
 *   5. if closing ends with a conflict, all is done again without what led to it: first without a choice that was made
 *      where several would do, else without the weaker of the two picks, which is noted. Parts are weaker than rules,
 *      those than `must`, those than the user;
 *   6. where two of equal strength stand against one another, the solver decides (`demands.ts`): there is no selection,
 *      and why is the error; or there is one, which then guides all choices.
 * Invariants: the same contract, model, rules and library give the same selection; its order is that of paths.
 * Source: SpecDB, section 4.1, where a language model walks the variation points.
 */
import { canonicalHash } from "../../contract/canonical-json.ts";
import type { Contract } from "../../contract/contract.ts";
import { assert } from "../../kit/assert.ts";
import type { LatheError } from "../../kit/errors.ts";
import type { FeatureModel } from "../../model/feature-model.ts";
import type { Archetype } from "../../model/load-archetypes.ts";
import type { PartDescriptor } from "../part-descriptor.ts";
import { leavesFirst } from "../plan/addition.ts";
import { type ClosedLeaf, Closing, type ClosingConflict } from "../plan/closing.ts";
import { compare } from "../plan/components.ts";
import { examine } from "./condition.ts";
import { demandsOf, selectionThatMeets } from "./demands.ts";
import { type Facts, factsOf } from "./facts.ts";
import type { Decision, FeatureSelection, LeftOut, Origin } from "./feature-selection.ts";
import { type ArchetypeScore, scoreArchetypes } from "./score-archetypes.ts";
import type { SelectRule, SelectRules } from "./select-rules.ts";

export interface Overrides {
  readonly with: readonly string[];
  readonly without: readonly string[];
}

export interface SelectInput {
  readonly contract: Contract;
  readonly model: FeatureModel;
  readonly rules: SelectRules;
  readonly archetypes: readonly Archetype[];
  readonly library: readonly PartDescriptor[];
  readonly overrides: Overrides;
}

interface Pick {
  readonly origin: Origin;
  readonly strength: number;
  readonly point: string | undefined;
}

const strengths = { part: 0, rule: 1, must: 2, asked: 3 } as const;

/** Errors: NOT_FOUND for unknown paths; INVALID_ARGUMENT for contradictions, with both sides. */
export function selectFeatures(input: SelectInput): FeatureSelection {
  const { contract, model, overrides } = input;
  for (const path of [...overrides.with, ...overrides.without]) model.feature(path);
  const facts = factsOf(contract);
  const scores = scoreArchetypes(input.rules, facts);
  const banned = new Map<string, LeftOut>();
  const avoided = new Set<string>();
  let guide: ReadonlySet<string> | undefined;
  for (;;) {
    const attempt = new Attempt(input, facts, scores, { banned, avoided, guide });
    const retry = attempt.run();
    if (retry === "stuck") {
      guide = selectionThatMeets(model, demandsOf(overrides, input.rules, facts));
      continue;
    }
    if (retry !== undefined) {
      if (typeof retry === "string") avoided.add(retry);
      else banned.set(retry.path, retry);
      continue;
    }
    const decisions = attempt.decisions();
    const leaves = decisions.map(({ path }) => path);
    const implemented = new Set(input.library.flatMap((part) => part.leaves));
    return {
      version: 1,
      contract: contract.name,
      contractHash: canonicalHash(contract),
      leaves,
      decisions,
      leftOut: attempt.leftOut,
      excluded: [...attempt.excluded].map(([path, because]) => ({ path, because })),
      archetypes: scores,
      withoutPart: leaves.filter((leaf) => !implemented.has(leaf)),
      hash: canonicalHash({ leaves }),
    };
  }
}

/** What attempts before have found out. */
interface Hints {
  readonly banned: ReadonlyMap<string, LeftOut>;
  readonly avoided: ReadonlySet<string>;
  /** A selection that has all that cannot be given up: no choice goes beyond it. */
  readonly guide: ReadonlySet<string> | undefined;
}

class Attempt {
  readonly leftOut: LeftOut[];
  readonly excluded = new Map<string, string>();
  readonly #input: SelectInput;
  readonly #facts: Facts;
  readonly #hints: Hints;
  readonly #closing: Closing;
  readonly #picks = new Map<string, Pick>();
  readonly #implemented: ReadonlySet<string>;
  readonly #preferred: ReadonlySet<string>;
  readonly #archetype: string;

  constructor(
    input: SelectInput,
    facts: Facts,
    scores: readonly ArchetypeScore[],
    hints: Hints,
  ) {
    this.#input = input;
    this.#facts = facts;
    this.#hints = hints;
    this.leftOut = [...hints.banned.values()];
    this.#implemented = new Set(input.model.withAncestors(input.library.flatMap((part) => knownLeaves(input, part))));
    this.#archetype = scores[0]?.name ?? "";
    const best = input.archetypes.find(({ name }) => name === this.#archetype);
    this.#preferred = new Set(input.model.withAncestors(best?.picks ?? []));
    const preference = (path: string) => this.#preference(path);
    this.#closing = new Closing(input.model, [], { excluded: this.excluded, preference });
  }

  #preference(path: string): number {
    const { avoided, guide } = this.#hints;
    if (guide !== undefined) return guide.has(path) ? 0 : 1;
    if (avoided.size > 0) {
      const leaves = this.#input.model.leavesBelow(path);
      if (leaves.every((leaf) => avoided.has(leaf.path))) return 3;
    }
    return this.#implemented.has(path) ? 0 : this.#preferred.has(path) ? 1 : 2;
  }

  /** Undefined where it is closed; else the pick that has to go, the choice that has to be another, or `stuck`. */
  run(): LeftOut | string | undefined {
    const { model, overrides } = this.#input;
    for (const path of overrides.without) this.excluded.set(path, `${path} was left out on request (--without)`);
    try {
      for (const path of leavesFirst(model, overrides.with)) {
        this.#pick(path, "asked for (--with)", { origin: "asked", strength: strengths.asked, point: undefined });
      }
      this.#applyRules();
      this.#bringParts();
      this.#closing.finish();
      return undefined;
    } catch (error) {
      return this.#weaker(error);
    }
  }

  decisions(): Decision[] {
    return this.#closing.added
      .map((leaf): Decision => {
        const pick = leaf.by === undefined ? this.#picks.get(leaf.root) : undefined;
        const origin = pick?.origin ?? (leaf.entry === "picked" ? "required" : leaf.entry);
        const { path, by } = leaf;
        return { path, origin, because: this.#because(leaf), by, point: pick?.point };
      })
      .sort((one, other) => compare(one.path, other.path));
  }

  #because({ path, entry, because }: ClosedLeaf): string {
    if (entry !== "default") return because;
    if (this.#implemented.has(path)) return `${because}: the library has a part for it`;
    return this.#preferred.has(path) ? `${because}: as the archetype ${this.#archetype} has it` : because;
  }

  #pick(path: string, because: string, pick: Pick): void {
    this.#picks.set(path, pick);
    this.#closing.pick(path, because);
  }

  #applyRules(): void {
    const decided = new Set<string>();
    const isSelected = (path: string) => this.#closing.has(path);
    for (const rule of this.#input.rules.rules) {
      if (decided.has(rule.point)) continue;
      const findings = examine(rule.when, this.#facts, isSelected);
      if (!findings.every(({ holds }) => holds)) continue;
      decided.add(rule.point);
      const facts = findings.length === 0 ? "always" : findings.map(({ text }) => text).join(", ");
      const because = `${rule.reason} (rule for ${rule.point}: ${facts})`;
      for (const path of rule.choose ?? []) this.#chooseByRule(rule, path, because);
      for (const path of rule.exclude ?? []) this.#excludeByRule(rule, path, because);
    }
  }

  #chooseByRule(rule: SelectRule, path: string, because: string): void {
    if (this.#hints.banned.has(path) || this.#closing.has(path)) return;
    const conflict = this.#conflictOf(path);
    if (conflict === undefined) {
      const strength = rule.must ? strengths.must : strengths.rule;
      this.#pick(path, because, { origin: "rule", strength, point: rule.point });
      return;
    }
    if (rule.must) throw new Stuck();
    this.leftOut.push({ path, wantedBy: "rule", because: `${conflict}; wanted since ${because}` });
  }

  #conflictOf(path: string): string | undefined {
    const { guide } = this.#hints;
    if (guide !== undefined && !guide.has(path)) return "it does not go with what has to be there";
    return this.#closing.conflictOf(path)?.text;
  }

  #excludeByRule(rule: SelectRule, path: string, because: string): void {
    const wanted = this.#closing.has(path) || (!rule.must && this.#hints.guide?.has(path));
    if (!wanted) {
      this.excluded.set(path, `${path} stays out: ${because}`);
      return;
    }
    const text = `${path} is to stay out: ${because}`;
    if (rule.must) throw new Stuck();
    const gives = `${path} has to be there, so this rule gives way: ${text}`;
    this.leftOut.push({ path: rule.point, wantedBy: "rule", because: gives });
  }

  #bringParts(): void {
    for (const part of this.#input.library) {
      if (!this.#closing.has(part.leaves[0])) continue;
      for (const path of knownLeaves(this.#input, part)) {
        if (this.#closing.has(path) || this.#hints.banned.has(path)) continue;
        const conflict = this.#conflictOf(path);
        if (conflict === undefined) {
          const because = `comes with the part ${part.name}, which implements ${part.leaves[0]}`;
          this.#pick(path, because, { origin: "part", strength: strengths.part, point: undefined });
          continue;
        }
        const lacks = `the part ${part.name} has it, but ${conflict}`;
        this.leftOut.push({ path, wantedBy: "part", because: lacks });
      }
    }
  }

  /** A choice behind the conflict, or of the two picks the one that gives way, or `stuck`. */
  #weaker(error: unknown): LeftOut | string {
    if (error instanceof Stuck) return this.#stuck(error);
    const closing = (error as LatheError).details?.closing as ClosingConflict | undefined;
    if (closing === undefined) throw error;
    const { root, against, againstRoot, path, because, conflict } = closing;
    const choices = [closing.entry === "default" ? path : this.#closing.choiceBehind(closing.by)];
    choices.push(this.#closing.choiceBehind(against));
    const choice = choices.find((one) => one !== undefined && !this.#hints.avoided.has(one));
    if (choice !== undefined) return choice;
    const strengthOf = (pick: string | undefined) =>
      pick === undefined ? strengths.asked : (this.#picks.get(pick)?.strength ?? strengths.must);
    const [own, other] = [strengthOf(root), strengthOf(againstRoot)];
    const loser = own <= other ? root : (againstRoot as string);
    const lost = this.#picks.get(loser);
    const stays = lost === undefined || lost.strength >= strengths.must || this.#hints.banned.has(loser);
    if (stays) return this.#stuck(error);
    return { path: loser, wantedBy: lost.origin, because: `it leads to ${path} (${because}), but ${conflict}` };
  }

  #stuck(error: unknown): "stuck" {
    assert(this.#hints.guide === undefined, `a guided selection does not close: ${(error as Error).message}`);
    return "stuck";
  }
}

/** Ends an attempt in which a rule that the contract depends on cannot be followed. */
class Stuck extends Error {}

function knownLeaves({ model }: SelectInput, part: PartDescriptor): string[] {
  return part.leaves.filter((leaf) => model.find(leaf)?.kind === "leaf");
}

