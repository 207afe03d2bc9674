/**
 * Reads a feature model of FeatureIDE (`model.xml`): tree, groups, and its propositional constraints.
 *
 * A reader of the XML that FeatureIDE writes: elements, attributes, comments, text; no entities but the five of XML,
 * no document type. `and` children are mandatory or optional, `alt` is xor, `or` is or; `rule` holds `imp`, `eq`,
 * `conj`, `disj`, `not`, `atmost1` and `var`.
 * Source: FeatureIDE's model.xml format, as its own examples show it.
 */
import { LatheError } from "../../kit/errors.ts";
import { buildModel, type FeatureStatement } from "../build-model.ts";
import type { Expression } from "../expression.ts";
import type { Constraint, Relation } from "../feature.ts";
import type { FeatureModel } from "../feature-model.ts";

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
  readonly line: number;
  text: string;
}

const depthMax = 500;

/** Errors: INVALID_ARGUMENT with file and line. */
export function readFeatureIde(text: string, file: string): FeatureModel {
  const root = parseXml(text, file);
  const fail = (line: number, message: string): never => {
    throw new LatheError("INVALID_ARGUMENT", `${file}:${line}: ${message}`, { details: { file, line } });
  };
  if (root.name !== "featureModel") fail(root.line, `expected <featureModel>, found <${root.name}>`);
  const features: FeatureStatement[] = [];
  const addFeature = (element: Element, parent: string | undefined, above: string): void => {
    const { name, mandatory } = element.attributes;
    if (name === undefined) return fail(element.line, `<${element.name}> has no name`);
    const relations: Readonly<Record<string, Relation>> = { alt: "xor", or: "or" };
    const relation = relations[above] ?? (mandatory === "true" || parent === undefined ? "mandatory" : "optional");
    const description = element.children.find((child) => child.name === "description")?.text.trim();
    features.push({ path: name, parent, relation, description, origin: { file, line: element.line } });
    for (const child of element.children) {
      if (["and", "or", "alt", "feature"].includes(child.name)) addFeature(child, name, element.name);
    }
  };
  const tops = root.children.find(({ name }) => name === "struct")?.children ?? [];
  for (const top of tops) addFeature(top, undefined, "struct");
  const rules = root.children.find(({ name }) => name === "constraints")?.children ?? [];
  const constraints = rules.filter(({ name }) => name === "rule").map((rule): Constraint => {
    const [body] = rule.children.filter(({ name }) => name !== "description");
    if (body === undefined) return fail(rule.line, "an empty <rule>");
    const reason = rule.children.find(({ name }) => name === "description")?.text.trim() ?? "";
    return { expression: expressionOf(body, fail), reason, origin: { file, line: rule.line } };
  });
  return buildModel({ name: features[0]?.path ?? file, features, constraints });
}

function expressionOf(element: Element, fail: (line: number, message: string) => never): Expression {
  const parts = () => element.children.map((child) => expressionOf(child, fail));
  const joined = (kind: "and" | "or", list: readonly Expression[]): Expression => {
    if (list.length === 0) return { kind: "constant", value: kind === "and" };
    return list.reduce((left, right) => ({ kind, left, right }));
  };
  const two = (): readonly [Expression, Expression] => {
    const [left, right] = parts();
    if (left === undefined || right === undefined) return fail(element.line, `<${element.name}> needs two parts`);
    return [left, right];
  };
  switch (element.name) {
    case "var": return { kind: "feature", path: element.text.trim() };
    case "not": return { kind: "not", of: joined("or", parts()) };
    case "conj": return joined("and", parts());
    case "disj": return joined("or", parts());
    case "imp": { const [left, right] = two(); return { kind: "implies", left, right }; }
    case "eq": { const [left, right] = two(); return { kind: "iff", left, right }; }
    case "atmost1": {
      const list = parts();
      const pairs = list.flatMap((one, at) => list.slice(at + 1).map((other): Expression => {
        return { kind: "not", of: { kind: "and", left: one, right: other } };
      }));
      return joined("and", pairs);
    }
    default: return fail(element.line, `<${element.name}> is not a rule that Lathe knows`);
  }
}

function parseXml(text: string, file: string): Element {
  const tag = /<(\/?)([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(\/?)>/;
  const pattern = new RegExp(`<!--[\\s\\S]*?-->|<\\?[\\s\\S]*?\\?>|${tag.source}|[^<]+`, "gy");
  const stack: Element[] = [];
  let root: Element | undefined;
  let line = 1;
  const fail = (message: string): never => {
    throw new LatheError("INVALID_ARGUMENT", `${file}:${line}: ${message}`, { details: { file, line } });
  };
  for (let at = 0; at < text.length; at = pattern.lastIndex) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) return fail("this is not XML as FeatureIDE writes it");
    const [whole, closing, name, attributes, empty] = match;
    if (name === undefined) {
      const top = stack.at(-1);
      if (top !== undefined && !whole.startsWith("<")) top.text += decode(whole);
    } else if (closing === "/") {
      if (stack.pop()?.name !== name) fail(`</${name}> closes nothing that is open`);
    } else {
      const element: Element = { name, attributes: attributesOf(attributes), children: [], line, text: "" };
      const top = stack.at(-1);
      if (top === undefined && root !== undefined) fail("a second root element");
      if (top === undefined) root = element;
      else top.children.push(element);
      if (empty !== "/") stack.push(element);
      if (stack.length > depthMax) fail(`elements nest deeper than ${depthMax}`);
    }
    line += whole.split("\n").length - 1;
  }
  if (stack.length > 0) fail(`<${stack[stack.length - 1].name}> is not closed`);
  return root ?? fail("there is no element");
}

function attributesOf(text: string): Record<string, string> {
  const found = [...text.matchAll(/([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)];
  return Object.fromEntries(found.map(([, key, double, single]) => [key, decode(double ?? single)]));
}

function decode(text: string): string {
  const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };
  return text.replace(/&(\w+);/g, (whole, name: string) => entities[name] ?? whole);
}
