/**
 * Reads DIMACS CNF as a feature model without a tree: below a root that stands for the file every variable is an
 * optional feature, and every clause a rule among them. Who needs the tree keeps UVL or JSON: CNF does not hold it.
 *
 * Steps:
 *   1. comment lines `c NUMBER NAME` name variables, as FeatureIDE and our own export write them; one without a name is
 *      `vNUMBER`;
 *   2. `p cnf VARIABLES CLAUSES`, then clauses, each ended by 0, over as many lines as they take;
 *   3. `-a b` becomes a requires edge, `-a -b` a mutex, all else a condition; a clause that always holds says nothing.
 * Invariant: the model has as many selections as the clauses have solutions.
 * Source: the DIMACS challenge's format, as SAT solvers and counters read it.
 */
import { LatheError } from "../../kit/errors.ts";
import { buildModel, edgeKey, type FeatureStatement } from "../build-model.ts";
import type { Expression } from "../expression.ts";
import type { Constraint, Edge, Origin } from "../feature.ts";
import type { FeatureModel } from "../feature-model.ts";

const variablesMax = 200_000;

/** Errors: INVALID_ARGUMENT with file and line, LIMIT_EXCEEDED. */
export function readDimacs(text: string, file: string): FeatureModel {
  return new DimacsReader(file).read(text);
}

class DimacsReader {
  readonly #file: string;
  readonly #names = new Map<number, string>();
  readonly #edges = new Map<string, Edge>();
  readonly #constraints: Constraint[] = [];
  #variables: number | undefined;
  #announced = 0;
  #clauses = 0;
  #open: number[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  read(text: string): FeatureModel {
    for (const [at, raw] of text.split(/\r?\n/).entries()) {
      const line = raw.trim();
      // Files of SATLIB end in a line of %.
      if (line.startsWith("%")) break;
      if (line === "c" || /^c\s/.test(line)) this.#comment(line);
      else if (line.startsWith("p")) this.#head(line, at + 1);
      else if (line !== "") this.#numbers(line, at + 1);
    }
    if (this.#variables === undefined) throw this.#error(1, "there is no line p cnf VARIABLES CLAUSES");
    if (this.#open.length > 0) throw this.#error(1, `the last clause (${this.#open.join(" ")}) is not ended by 0`);
    if (this.#clauses !== this.#announced) {
      throw this.#error(1, `${this.#announced} clauses are announced, and there are ${this.#clauses}`);
    }
    return this.#model(this.#variables);
  }

  #model(variables: number): FeatureModel {
    const numbers = Array.from({ length: variables }, (_, at) => at + 1);
    const names = new Set(numbers.map((number) => this.#nameOf(number)));
    let root = this.#file;
    while (names.has(root)) root += "_";
    const features = numbers.map((number): FeatureStatement => {
      return { path: this.#nameOf(number), parent: root, relation: "optional" };
    });
    return buildModel({
      name: root,
      features: [{ path: root, parent: undefined, relation: "mandatory" }, ...features],
      edges: [...this.#edges.values()],
      constraints: this.#constraints,
    });
  }

  #comment(line: string): void {
    const named = /^c\s+([1-9]\d*)\s+(\S.*)$/.exec(line);
    if (named !== null) this.#names.set(Number(named[1]), named[2]);
  }

  #head(line: string, at: number): void {
    const found = /^p\s+cnf\s+(\d+)\s+(\d+)$/.exec(line);
    if (found === null) {
      throw this.#error(at, `expected p cnf VARIABLES CLAUSES, found ${JSON.stringify(line.slice(0, 60))}`);
    }
    if (this.#variables !== undefined) throw this.#error(at, "a second line p cnf");
    [this.#variables, this.#announced] = [Number(found[1]), Number(found[2])];
    if (this.#variables <= variablesMax) return;
    const message = `${this.#file} has ${this.#variables} variables, and ${variablesMax} at most are read`;
    throw new LatheError("LIMIT_EXCEEDED", message);
  }

  #numbers(line: string, at: number): void {
    const variables = this.#variables;
    if (variables === undefined) throw this.#error(at, "a clause stands before the line p cnf VARIABLES CLAUSES");
    for (const token of line.split(/\s+/)) {
      if (!/^-?\d{1,9}$/.test(token)) throw this.#error(at, `${JSON.stringify(token.slice(0, 60))} is no literal`);
      const literal = Number(token);
      if (Math.abs(literal) > variables) throw this.#error(at, `${literal} is beyond the ${variables} variables`);
      if (literal !== 0) this.#open.push(literal);
      else {
        this.#clauses++;
        this.#clause([...new Set(this.#open)], at);
        this.#open = [];
      }
    }
  }

  #clause(literals: readonly number[], line: number): void {
    if (literals.some((literal) => literals.includes(-literal))) return;
    const origin: Origin = { file: this.#file, line };
    const [one, other] = [...literals].sort((left, right) => left - right);
    if (literals.length === 2 && one < 0) {
      const ends = { from: this.#nameOf(-one), to: this.#nameOf(Math.abs(other)) };
      const edge: Edge = { kind: other > 0 ? "requires" : "mutex", ...ends, reason: "", source: "dimacs", origin };
      if (!this.#edges.has(edgeKey(edge))) this.#edges.set(edgeKey(edge), edge);
      return;
    }
    this.#constraints.push({ expression: this.#disjunction(literals), reason: "", origin });
  }

  /** Halved again and again, so that long clauses do not nest deeply. */
  #disjunction(literals: readonly number[]): Expression {
    if (literals.length === 0) return { kind: "constant", value: false };
    if (literals.length === 1) {
      const feature: Expression = { kind: "feature", path: this.#nameOf(Math.abs(literals[0])) };
      return literals[0] > 0 ? feature : { kind: "not", of: feature };
    }
    const middle = literals.length >> 1;
    const [left, right] = [literals.slice(0, middle), literals.slice(middle)];
    return { kind: "or", left: this.#disjunction(left), right: this.#disjunction(right) };
  }

  #nameOf(variable: number): string {
    return this.#names.get(variable) ?? `v${variable}`;
  }

  #error(line: number, message: string): LatheError {
    const details = { file: this.#file, line };
    return new LatheError("INVALID_ARGUMENT", `${this.#file}:${line}: ${message}`, { details });
  }
}
