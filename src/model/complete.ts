/**
 * What picks imply, and how they are completed to a whole selection.
 *
 * `propagatePicks` tells of every feature whether it is chosen, excluded, forced (and by what) or open. Forced means:
 * in every valid selection with these picks, by the backbone, not by propagation alone.
 *
 * `completeSelection` decides what is open, always the same way:
 *   1. of an `xor` or counted group of a selected parent that has too few members, the default is tried first, then the
 *      members that the caller prefers, then the others in model order; the first that can hold is taken;
 *   2. then everything open is left out that can be, last in model order first, defaults and preferred ones last, so
 *      that an `or` group keeps its default only where nothing else is in it;
 *   3. what was left out may have forced something in; go on until nothing is open.
 * Every decision is asked of the solver, so the result is valid; it holds no optional feature that nothing needs.
 */
import { backboneOf } from "./backbone.ts";
import { type Conflict, findConflict } from "./conflict.ts";
import { Derivation } from "./derivation.ts";
import { clauseList, type ExplanationStep, ruleOf } from "./explain.ts";
import type { Group } from "./feature.ts";
import type { Picks, Reasoner } from "./reasoner.ts";
import { stepText } from "./sentence.ts";
import type { Solver } from "./solver.ts";

export interface Forced {
  readonly path: string;
  readonly selected: boolean;
  /** `default` where completion decided, `search` where propagation does not show it. */
  readonly rule: ExplanationStep["rule"] | "default" | "search";
  /** One sentence. */
  readonly because: string;
  /** The picks it rests on; empty where it holds without any. */
  readonly picks: readonly string[];
}

export interface PartialConfiguration {
  readonly chosen: readonly string[];
  readonly excluded: readonly string[];
  readonly forced: readonly Forced[];
  readonly open: readonly string[];
}

export interface Completed {
  /** Features, groups included, in model order. */
  readonly selected: readonly string[];
  readonly leaves: readonly string[];
  /** What was not picked, with the reason. */
  readonly added: readonly Forced[];
}

export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly conflict: Conflict };

export function propagatePicks(reasoner: Reasoner, picks: Picks): Outcome<PartialConfiguration> {
  const literals = reasoner.literalsOf(picks);
  const backbone = backboneOf(reasoner, literals);
  if (backbone === undefined) return { ok: false, conflict: findConflict(reasoner, picks) as Conflict };
  const derivation = new Derivation(clauseList(reasoner), literals);
  const picked = new Set(literals.map(Math.abs));
  const open: string[] = [];
  const forced: Forced[] = [];
  reasoner.model.features.forEach(({ path }, position) => {
    const variable = position + 1;
    if (picked.has(variable)) return;
    if (backbone[variable] === 0) open.push(path);
    else forced.push(reasonOf(reasoner, derivation, variable * backbone[variable], literals));
  });
  return { ok: true, value: { chosen: picks.chosen, excluded: picks.excluded, forced, open } };
}

/** `preferred` ranks above model order, below the defaults of groups; earlier ones first. */
export function completeSelection(
  reasoner: Reasoner,
  picks: Picks,
  preferred: readonly string[] = [],
): Outcome<Completed> {
  const literals = reasoner.literalsOf(picks);
  if (!reasoner.satisfiable(literals)) return { ok: false, conflict: findConflict(reasoner, picks) as Conflict };
  const decider = new Decider(reasoner, literals, preferred);
  const decisions = decider.run();
  const { model } = reasoner;
  const selected = model.features.filter((_, position) => decider.holds(position + 1)).map(({ path }) => path);
  const derivation = new Derivation(clauseList(reasoner), [...literals, ...decisions]);
  const chosen = new Set(picks.chosen);
  const decided = new Set(decisions);
  const added = selected.filter((path) => !chosen.has(path)).map((path) => {
    const literal = reasoner.literal(path);
    const reason = reasonOf(reasoner, derivation, literal, literals);
    // The last member of a group whose others were left out is taken as its default.
    if (!decided.has(literal) && !(reason.rule === "group" && reason.picks.length === 0)) return reason;
    return { path, selected: true, rule: "default" as const, because: defaultText(reasoner, path), picks: [] };
  });
  const leaves = selected.filter((path) => model.feature(path).kind === "leaf");
  return { ok: true, value: { selected, leaves, added } };
}

function defaultText(reasoner: Reasoner, path: string): string {
  const { isDefault, parent } = reasoner.model.feature(path);
  return isDefault
    ? `${path} is selected: it is the default below ${parent}`
    : `${path} is selected: nothing decides below ${parent}, and it is the first that can be taken`;
}

function reasonOf(reasoner: Reasoner, derivation: Derivation, literal: number, picks: readonly number[]): Forced {
  const { clauses, model } = reasoner;
  const path = reasoner.pathOf(literal);
  const selected = literal > 0;
  if (!derivation.holds(literal)) {
    const because = `${path} is ${selected ? "selected" : "out"}: no valid selection with these picks has it otherwise`;
    return { path, selected, rule: "search", because, picks: picks.map((one) => reasoner.pathOf(one)) };
  }
  const steps = derivation.chainTo(literal);
  const last = steps[steps.length - 1];
  const statement = last.clause === undefined ? undefined : clauses.statements[last.clause.statement];
  const pathOf = (one: number) => model.features[Math.abs(one) - 1]?.path;
  const own = new Set(picks);
  const roots = steps.filter((step) => own.has(step.literal)).map((step) => reasoner.pathOf(step.literal));
  const because = stepText(last, statement, pathOf, (one) => derivation.isBackground(one));
  return { path, selected, rule: statement === undefined ? "pick" : ruleOf(statement), because, picks: roots };
}

class Decider {
  readonly #reasoner: Reasoner;
  readonly #solver: Solver;
  /** By path: the smaller, the rather taken. */
  readonly #ranks: Map<string, number>;
  readonly #decisions: number[] = [];

  constructor(reasoner: Reasoner, literals: readonly number[], preferred: readonly string[]) {
    this.#reasoner = reasoner;
    this.#solver = reasoner.newSolver();
    for (const literal of literals) this.#solver.addClause([literal]);
    const { features } = reasoner.model;
    this.#ranks = new Map(features.map(({ path }, position) => [path, preferred.length + position]));
    preferred.forEach((path, rank) => this.#ranks.set(path, rank));
    for (const { path, isDefault } of features) if (isDefault) this.#ranks.set(path, -1);
  }

  holds(variable: number): boolean {
    return this.#solver.fixed(variable) === 1;
  }

  /** Decisions, in order. */
  run(): number[] {
    const { model } = this.#reasoner;
    const counted = model.groups.filter(({ relation }) => relation === "xor" || relation === "cardinality");
    for (;;) {
      const group = counted.find((one) => this.#lacksMembers(one));
      if (group !== undefined) {
        this.#takeMember(group);
        continue;
      }
      if (!this.#leaveOut()) return this.#decisions;
    }
  }

  #lacksMembers({ parent, members, min }: Group): boolean {
    if (!this.holds(this.#variable(parent))) return false;
    return members.filter((member) => this.holds(this.#variable(member))).length < min;
  }

  #takeMember({ members }: Group): void {
    const open = members.filter((member) => this.#solver.fixed(this.#variable(member)) === 0);
    for (const member of this.#byRank(open)) {
      const literal = this.#variable(member);
      if (!this.#solver.solve([literal])) {
        this.#solver.addClause([-literal]);
        continue;
      }
      // What the solver knows to hold already was not decided here.
      if (this.#solver.fixed(literal) === 0) this.#decisions.push(literal);
      this.#solver.addClause([literal]);
      return;
    }
  }

  /** Leaves out what is open until something must be taken or a counted group lacks members; false when all is done. */
  #leaveOut(): boolean {
    const { features } = this.#reasoner.model;
    const open = features.filter((_, position) => this.#solver.fixed(position + 1) === 0).map(({ path }) => path);
    for (const path of this.#byRank(open).reverse()) {
      const variable = this.#variable(path);
      if (this.#solver.fixed(variable) !== 0) continue;
      const literal = this.#solver.solve([-variable]) ? -variable : variable;
      this.#decisions.push(literal);
      this.#solver.addClause([literal]);
      if (literal > 0) return true;
    }
    return false;
  }

  #byRank(paths: readonly string[]): string[] {
    const rank = (path: string) => this.#ranks.get(path) as number;
    return paths.toSorted((one, other) => rank(one) - rank(other));
  }

  #variable(path: string): number {
    return this.#reasoner.literal(path);
  }
}
