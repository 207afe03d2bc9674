/**
 * StatementTemplates: the facts of statements whose like was seen before, without reading their tokens again.
 *
 * A log has few shapes and many statements. `find` scans a statement once (`literal-scanner.ts`); where its hash is
 * known the facts are those of the first statement of that shape, with the values of this one in `literals`.
 * Memory: at most `templatesMax` shapes; when there are more, all are forgotten and learnt again.
 */
import { LiteralScanner } from "./literal-scanner.ts";
import type { Dialect } from "./sql-scanner.ts";
import { type StatementFacts, statementFacts } from "./statement-facts.ts";

/** What a shape's user keeps with it goes into `plan`. */
export interface StatementTemplate<Plan> {
  readonly facts: StatementFacts;
  readonly literals: number;
  plan: Plan | undefined;
}

const templatesMax = 20_000;
/** Longer ones are hardly ever the same twice. */
const lengthMax = 64 * 1024;

export class StatementTemplates<Plan> {
  /** Of the statement that was found last. */
  readonly literals: LiteralScanner;
  readonly #dialect: Dialect;
  readonly #byHash = new Map<number, StatementTemplate<Plan>>();

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
    this.literals = new LiteralScanner(dialect);
  }

  /** Undefined for what has to be read by its tokens. */
  find(sql: string): StatementTemplate<Plan> | undefined {
    if (sql.length > lengthMax || !this.literals.scan(sql)) return undefined;
    const { hash, count } = this.literals;
    const known = this.#byHash.get(hash);
    if (known !== undefined && known.literals === count) return known;
    const facts = statementFacts(sql, this.#dialect);
    if (!facts.isTemplate) return { facts, literals: count, plan: undefined };
    if (this.#byHash.size >= templatesMax) this.#byHash.clear();
    // A copy: names are slices of a chunk of the file, which they would keep in memory.
    const template = { facts: copyOf(facts), literals: count, plan: undefined };
    this.#byHash.set(hash, template);
    return template;
  }
}

/** With strings of its own. */
export function copyOf(facts: StatementFacts): StatementFacts {
  return JSON.parse(JSON.stringify(facts)) as StatementFacts;
}
