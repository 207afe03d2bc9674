/**
 * Sizes of chosen code, counted on the syntax trees of the TypeScript compiler.
 *
 *   lines       lines with something on them beside a comment; without imports, for they depend on where files are.
 *   statements  every statement but blocks, imports and declarations of types; an arrow function whose body is an
 *               expression counts as one.
 *   complexity  per function (methods, accessors and arrow functions too) McCabe's 1 + branches: `if`, `?:`, `case`,
 *               every kind of loop, `catch`, `&&`, `||`, `??` and their assignments. Nested functions count apart.
 *   branches    the sum without the 1 per function, which would punish small functions.
 *   mutable     fields of classes that are assigned again (not `readonly`) or hold a Set or Map; `open` are those of
 *               them that other classes can write.
 *   callbacks   arrow functions and function expressions; `awaits`: `await`; `chains`: `.then`, `.catch`, `.finally`.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { API } from "typescript/unstable/sync";
import { type Node, type SourceFile, SyntaxKind } from "typescript/unstable/ast";

/** `only` and `except` name top-level declarations, or members as `Class.member`. */
export interface CodeChoice {
  readonly file: string;
  readonly only?: readonly string[];
  readonly except?: readonly string[];
}

export interface CodeSize {
  lines: number;
  statements: number;
  functions: number;
  branches: number;
  complexity: number;
  complexityMax: number;
  mutable: number;
  open: number;
  callbacks: number;
  awaits: number;
  chains: number;
}

/** Parses files of the project at `root` and counts. `close` ends the compiler. */
export class CodeCounter {
  readonly #root: string;
  readonly #api: API;

  constructor(root: string) {
    this.#root = root;
    this.#api = new API({ cwd: root });
  }

  sizeOf(choice: CodeChoice): CodeSize {
    const path = join(this.#root, choice.file);
    const snapshot = this.#api.updateSnapshot({ openFiles: [path] });
    const source = snapshot.getDefaultProjectForFile(path)?.program.getSourceFile(path);
    if (source === undefined) throw new Error(`${choice.file} cannot be parsed`);
    const text = readFileSync(path, "utf8");
    const nodes = chosenNodes(source, text, choice);
    const size = emptySize();
    const bare = withoutComments(text);
    for (const node of nodes) {
      size.lines += linesIn(bare.slice(node.getStart(source), node.end));
      count(node, size);
    }
    return size;
  }

  close(): void {
    this.#api.close();
  }
}

export function emptySize(): CodeSize {
  return {
    lines: 0, statements: 0, functions: 0, branches: 0, complexity: 0, complexityMax: 0, mutable: 0, open: 0,
    callbacks: 0, awaits: 0, chains: 0,
  };
}

export function sumOf(sizes: readonly CodeSize[]): CodeSize {
  const sum = emptySize();
  for (const size of sizes) {
    for (const name of Object.keys(sum) as (keyof CodeSize)[]) {
      sum[name] = name === "complexityMax" ? Math.max(sum[name], size[name]) : sum[name] + size[name];
    }
  }
  return sum;
}

const typeDeclarations = new Set([SyntaxKind.InterfaceDeclaration, SyntaxKind.TypeAliasDeclaration]);
const statements = new Set([
  SyntaxKind.VariableStatement, SyntaxKind.ExpressionStatement, SyntaxKind.IfStatement, SyntaxKind.DoStatement,
  SyntaxKind.WhileStatement, SyntaxKind.ForStatement, SyntaxKind.ForInStatement, SyntaxKind.ForOfStatement,
  SyntaxKind.ContinueStatement, SyntaxKind.BreakStatement, SyntaxKind.ReturnStatement, SyntaxKind.SwitchStatement,
  SyntaxKind.ThrowStatement, SyntaxKind.TryStatement,
]);
const functions = new Set([
  SyntaxKind.FunctionDeclaration, SyntaxKind.MethodDeclaration, SyntaxKind.Constructor, SyntaxKind.GetAccessor,
  SyntaxKind.SetAccessor, SyntaxKind.ArrowFunction, SyntaxKind.FunctionExpression,
]);
const branches = new Set([
  SyntaxKind.IfStatement, SyntaxKind.ConditionalExpression, SyntaxKind.CaseClause, SyntaxKind.CatchClause,
  SyntaxKind.DoStatement, SyntaxKind.WhileStatement, SyntaxKind.ForStatement, SyntaxKind.ForInStatement,
  SyntaxKind.ForOfStatement,
]);
const logical = new Set([
  SyntaxKind.AmpersandAmpersandToken, SyntaxKind.BarBarToken, SyntaxKind.QuestionQuestionToken,
  SyntaxKind.AmpersandAmpersandEqualsToken, SyntaxKind.BarBarEqualsToken, SyntaxKind.QuestionQuestionEqualsToken,
]);
const chained = new Set(["then", "catch", "finally"]);

/** Counts a tree; functions within it are measured on their own and added. */
function count(root: Node, size: CodeSize): void {
  const visit = (node: Node, owner: { branches: number }): void => {
    const { kind } = node;
    if (statements.has(kind)) size.statements++;
    if (kind === SyntaxKind.AwaitExpression) size.awaits++;
    if (kind === SyntaxKind.PropertyDeclaration) countField(node, size);
    if (kind === SyntaxKind.CallExpression && chained.has(calledName(node))) size.chains++;
    if (branches.has(kind) || logical.has(kind)) owner.branches++;
    if (typeDeclarations.has(kind)) return;
    if (!functions.has(kind)) {
      node.forEachChild((child) => visit(child, owner));
      return;
    }
    const own = { branches: 0 };
    node.forEachChild((child) => visit(child, own));
    if (kind === SyntaxKind.ArrowFunction || kind === SyntaxKind.FunctionExpression) {
      size.callbacks++;
      const { body } = node as unknown as { body: Node };
      if (body.kind !== SyntaxKind.Block) size.statements++;
    }
    size.functions++;
    size.branches += own.branches;
    size.complexity += 1 + own.branches;
    size.complexityMax = Math.max(size.complexityMax, 1 + own.branches);
  };
  const outside = { branches: 0 };
  visit(root, outside);
  size.branches += outside.branches;
  size.complexity += outside.branches;
}

function countField(node: Node, size: CodeSize): void {
  const field = node as unknown as { name: Node; modifiers?: readonly Node[]; initializer?: Node };
  const has = (kind: SyntaxKind) => field.modifiers?.some((one) => one.kind === kind) === true;
  const { initializer } = field;
  const isContainer =
    initializer?.kind === SyntaxKind.NewExpression &&
    ["Set", "Map"].includes((initializer as unknown as { expression: { text?: string } }).expression.text ?? "");
  if (has(SyntaxKind.ReadonlyKeyword) && !isContainer) return;
  size.mutable++;
  if (field.name.kind !== SyntaxKind.PrivateIdentifier && !has(SyntaxKind.PrivateKeyword)) size.open++;
}

function calledName(node: Node): string {
  const { expression } = node as unknown as { expression: { kind: SyntaxKind; name?: { text: string } } };
  return expression.kind === SyntaxKind.PropertyAccessExpression ? (expression.name?.text ?? "") : "";
}

function chosenNodes(source: SourceFile, text: string, { file, only, except }: CodeChoice): Node[] {
  const named = new Map<string, Node>();
  const add = (name: string, node: Node) => named.set(name, node);
  for (const statement of source.statements) {
    const { kind } = statement;
    if (kind === SyntaxKind.ImportDeclaration) continue;
    const name = nameOf(statement) ?? text.slice(statement.getStart(source), statement.end).slice(0, 40);
    add(name, statement);
    if (kind !== SyntaxKind.ClassDeclaration) continue;
    for (const member of (statement as unknown as { members: readonly Node[] }).members) {
      add(`${name}.${nameOf(member) ?? "constructor"}`, member);
    }
  }
  const missing = [...(only ?? []), ...(except ?? [])].filter((name) => !named.has(name));
  if (missing.length > 0) throw new Error(`${file} has no ${missing.join(", ")}`);
  if (only !== undefined) return only.map((name) => named.get(name) as Node);
  return [...named].filter(([name]) => !name.includes(".") && !except?.includes(name)).map(([, node]) => node);
}

function nameOf(node: Node): string | undefined {
  const { name, declarationList } = node as unknown as {
    name?: { text: string };
    declarationList?: { declarations: readonly { name: { text: string } }[] };
  };
  return name?.text ?? declarationList?.declarations[0]?.name.text;
}

function linesIn(text: string): number {
  return text.split("\n").filter((line) => line.trim() !== "").length;
}

/** The text with blanks in the place of comments; strings are kept, regular expressions are taken for text. */
export function withoutComments(text: string): string {
  const pattern = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  return text.replace(pattern, (found) => (found.startsWith("/") ? found.replace(/[^\n]/g, " ") : found));
}
