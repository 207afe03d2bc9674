/**
 * Reads UVL (Universal Variability Language): our own export without loss, and files of others.
 *
 * Steps:
 *   1. logical lines with their indentation (`uvl-tokens.ts`); sections `namespace`, `include`, `features`,
 *      `constraints`;
 *   2. under `features` lines alternate between features and group keywords, each deeper than what they belong to;
 *   3. `a => b` becomes a requires edge, `!(a & b)` and `a => !b` a mutex, all else a condition. In a file that Lathe
 *      wrote (`lathe true` on its root) only what an attribute names is an edge; reference and cooperate come from
 *      attributes, on either end.
 * What Lathe cannot hold is refused with its line: imports, feature cardinalities, conditions over numbers. Typed
 * features (`Integer Size`) are read as present or not, and their type is kept.
 * Source: UVLParser.g4, for the syntax.
 */
import { buildModel, edgeKey, type FeatureStatement } from "../build-model.ts";
import { type Expression, parseExpression } from "../expression.ts";
import type { AttributeValue, Constraint, Edge, EdgeKind, Origin, Relation } from "../feature.ts";
import type { FeatureModel } from "../feature-model.ts";
import { readAttributes, TokenWalk } from "./uvl-attributes.ts";
import { type UvlLine, uvlError, uvlLines } from "./uvl-tokens.ts";

const groupRelations: Readonly<Record<string, Relation>> = {
  mandatory: "mandatory", optional: "optional", alternative: "xor", or: "or",
};
const types = new Set(["Boolean", "Integer", "Real", "String"]);
const depthMax = 500;

type Attributes = Record<string, AttributeValue>;

/** Errors: INVALID_ARGUMENT with file, line and column. */
export function readUvl(text: string, file: string): FeatureModel {
  return new UvlReader(uvlLines(text, file), file).read();
}

class UvlReader {
  readonly #lines: readonly UvlLine[];
  readonly #file: string;
  readonly #features: FeatureStatement[] = [];
  readonly #edges = new Map<string, Edge>();
  readonly #constraints: Constraint[] = [];
  #rootAttributes: Attributes = {};
  #at = 0;

  constructor(lines: readonly UvlLine[], file: string) {
    this.#lines = lines;
    this.#file = file;
  }

  read(): FeatureModel {
    let name: string | undefined;
    while (this.#at < this.#lines.length) {
      const line = this.#lines[this.#at++];
      const [section, second] = line.tokens;
      if (section.text === "namespace") name = second?.text;
      else if (section.text === "include") this.#skipBelow(line);
      else if (section.text === "features") this.#readFeature(line, undefined, {});
      else if (section.text === "constraints") this.#readConstraints(line);
      else if (section.text === "imports") {
        throw uvlError(this.#file, line.line, section.column, "imports are not supported; merge the files first");
      } else throw uvlError(this.#file, line.line, section.column, `unknown section ${section.text}`);
    }
    if (this.#features.length === 0) throw uvlError(this.#file, 1, 1, "there are no features");
    const edges = [...this.#edges.values()];
    return buildModel({
      name: name ?? this.#features[0].path,
      features: this.#features,
      edges,
      constraints: this.#constraints,
    });
  }

  #skipBelow({ indent }: UvlLine): void {
    while (this.#at < this.#lines.length && this.#lines[this.#at].indent > indent) this.#at++;
  }

  /** Reads the features one level deeper than `above`. */
  #readFeature(above: UvlLine, parent: string | undefined, group: Partial<FeatureStatement>, depth = 0): void {
    if (depth > depthMax) throw uvlError(this.#file, above.line, 1, `features nest deeper than ${depthMax}`);
    const first = this.#lines[this.#at];
    if (first === undefined || first.indent <= above.indent) {
      throw uvlError(this.#file, above.line, 1, "a feature is missing below this line");
    }
    while (this.#at < this.#lines.length && this.#lines[this.#at].indent > above.indent) {
      const line = this.#lines[this.#at++];
      if (line.indent !== first.indent) throw uvlError(this.#file, line.line, 1, "this line is indented otherwise");
      if (parent === undefined && this.#features.length > 0) {
        throw uvlError(this.#file, line.line, 1, "a model has exactly one root");
      }
      const path = this.#takeFeature(line, parent, group);
      this.#readGroups(line, path, depth);
    }
  }

  #readGroups(above: UvlLine, parent: string, depth: number): void {
    const first = this.#lines[this.#at];
    for (let number = 0; this.#at < this.#lines.length; number++) {
      const line = this.#lines[this.#at];
      if (line.indent <= above.indent) return;
      if (line.indent !== first.indent) throw uvlError(this.#file, line.line, 1, "this line is indented otherwise");
      this.#at++;
      this.#readFeature(line, parent, { ...this.#groupOf(line), groupName: String(number) }, depth + 1);
    }
  }

  #groupOf(line: UvlLine): Partial<FeatureStatement> {
    const walk = new TokenWalk(this.#file, line.tokens, line.line);
    if (walk.isSign("[")) {
      walk.sign("[");
      const min = this.#count(walk);
      let max = min;
      if (walk.isSign("..")) {
        walk.sign("..");
        if (walk.isSign("*")) {
          walk.sign("*");
          max = Number.MAX_SAFE_INTEGER;
        } else max = this.#count(walk);
      }
      walk.sign("]");
      walk.done();
      return { relation: "cardinality", min, max };
    }
    const keyword = walk.take("a group");
    const relation = groupRelations[keyword.text];
    if (relation === undefined) {
      const message = `expected mandatory, optional, alternative, or, or [n..m], found ${keyword.text}`;
      throw uvlError(this.#file, keyword.line, keyword.column, message);
    }
    walk.done();
    return { relation };
  }

  #count(walk: TokenWalk): number {
    const token = walk.take("a number");
    if (!/^\d+$/.test(token.text)) throw walk.error(`${token.text} is not a count`);
    return Number(token.text);
  }

  #takeFeature(line: UvlLine, parent: string | undefined, group: Partial<FeatureStatement>): string {
    const walk = new TokenWalk(this.#file, line.tokens, line.line);
    let name = walk.take("a feature");
    let type: string | undefined;
    if (name.kind === "name" && types.has(name.text) && ["name", "quoted"].includes(walk.peek()?.kind ?? "")) {
      type = name.text;
      name = walk.take("a feature");
    }
    if (name.kind !== "name" && name.kind !== "quoted") throw walk.error(`${name.text} is not a feature`);
    if (walk.peek()?.text === "cardinality") throw walk.error("cardinalities of features are not supported");
    const read = readAttributes(walk);
    walk.done();
    const { doc, systems, systems_general: general, source, default: isDefault, origin, ...others } = read;
    const { requires, mutex, reference, cooperate, lathe, conditions, ...attributes } = others;
    if (parent === undefined) this.#rootAttributes = { ...(lathe === true ? { lathe } : {}), conditions };
    const known = { requires, mutex, reference, cooperate };
    for (const kind of ["requires", "mutex", "reference", "cooperate"] as const) {
      this.#takeEdges(kind, name.text, known[kind]);
    }
    this.#features.push({
      path: name.text,
      parent,
      relation: "mandatory",
      ...group,
      description: textOf(doc),
      systems: textsOf(systems),
      systemsGeneral: textsOf(general),
      source: textOf(source),
      isDefault: isDefault === true,
      attributes: type === undefined ? attributes : { ...attributes, uvl_type: type },
      origin: this.#origin(origin, line),
    });
    return name.text;
  }

  #takeEdges(kind: EdgeKind, from: string, entries: AttributeValue | undefined): void {
    if (!Array.isArray(entries)) return;
    for (const entry of entries) {
      const one: Attributes = typeof entry === "object" ? (entry as Attributes) : { to: entry };
      const to = textOf(one.with ?? one.to);
      if (to === undefined) continue;
      const reason = textOf(one.invariant ?? one.reason) ?? "";
      const edge: Edge = { kind, from, to, reason, source: textOf(one.source) ?? "", origin: originOf(one.origin) };
      if (!this.#edges.has(edgeKey(edge))) this.#edges.set(edgeKey(edge), edge);
    }
  }

  #readConstraints({ indent }: UvlLine): void {
    const reasons = Array.isArray(this.#rootAttributes.conditions) ? this.#rootAttributes.conditions : [];
    while (this.#at < this.#lines.length && this.#lines[this.#at].indent > indent) {
      const line = this.#lines[this.#at++];
      const expression = this.#expressionOf(line);
      const edge = edgeOf(expression, { file: this.#file, line: line.line });
      if (edge !== undefined && this.#edges.has(edgeKey(edge))) continue;
      if (edge !== undefined && this.#rootAttributes.lathe !== true) {
        this.#edges.set(edgeKey(edge), edge);
        continue;
      }
      const about = (reasons[this.#constraints.length] ?? {}) as Attributes;
      const origin = this.#origin(about.origin, line);
      this.#constraints.push({ expression, reason: textOf(about.reason) ?? "", origin });
    }
  }

  /** What Lathe wrote without an origin had none. */
  #origin(written: AttributeValue | undefined, { line }: UvlLine): Origin | undefined {
    const own = this.#rootAttributes.lathe === true;
    return originOf(written) ?? (own ? undefined : { file: this.#file, line });
  }

  #expressionOf(line: UvlLine): Expression {
    const bad = line.tokens.find(({ kind, text }) =>
      kind === "number" || kind === "string" || (kind === "sign" && !/^([!&|()]|=>|<=>)$/.test(text)));
    if (bad !== undefined) {
      const message = `conditions over numbers and texts are not supported (${bad.text})`;
      throw uvlError(this.#file, bad.line, bad.column, message);
    }
    const text = line.tokens.map(({ kind, text: one }) => (kind === "sign" ? one : `"${one}"`)).join(" ");
    try {
      return parseExpression(text);
    } catch (error) {
      throw uvlError(this.#file, line.line, line.tokens[0].column, (error as Error).message);
    }
  }
}

/** `a => b`, `a => !b` and `!(a & b)` as edges. */
function edgeOf(expression: Expression, origin: Origin): Edge | undefined {
  const about = { reason: "", source: "uvl", origin };
  if (expression.kind === "implies" && expression.left.kind === "feature") {
    const { left, right } = expression;
    if (right.kind === "feature" && right.path !== left.path) {
      return { kind: "requires", from: left.path, to: right.path, ...about };
    }
    if (right.kind === "not" && right.of.kind === "feature" && right.of.path !== left.path) {
      return { kind: "mutex", from: left.path, to: right.of.path, ...about };
    }
  }
  if (expression.kind === "not" && expression.of.kind === "and") {
    const { left, right } = expression.of;
    if (left.kind === "feature" && right.kind === "feature" && left.path !== right.path) {
      return { kind: "mutex", from: left.path, to: right.path, ...about };
    }
  }
  return undefined;
}

function textOf(value: AttributeValue | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function textsOf(value: AttributeValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

function originOf(value: AttributeValue | undefined): Origin | undefined {
  const match = typeof value === "string" ? /^(.*):(\d+)$/.exec(value) : null;
  return match === null ? undefined : { file: match[1], line: Number(match[2]) };
}
