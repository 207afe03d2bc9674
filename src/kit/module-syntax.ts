/**
 * Where a JavaScript module says what it imports and exports.
 *
 * Walks over the text once: comments, strings, templates and regular expressions are passed over, brackets counted, and
 * what is left of the words `import`, `export` and `await` is what the module's own statements say. Whether a slash
 * begins a regular expression is told by what stands before it.
 * Invariant: what is not understood for certain (brackets that do not close, `await` outside of functions) gives
 * undefined, never a guess; so a module that is refused here may still be right.
 * Source: es-module-lexer, which tells slashes apart by the same rule.
 */

export interface SyntaxPlace {
  readonly kind: "import" | "export" | "meta";
  readonly at: number;
}

const wordsBeforeExpressions = new Set([
  "return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "else", "do", "yield", "instanceof",
  "await", "extends", "default",
]);
const trivia = /(?:\s+|\/\/[^\n]*|\/\*[^]*?\*\/)+/y;
const wordStart = /[\p{ID_Start}$_#]/u;
const word = /[\p{ID_Continue}$#\u200c\u200d]+/uy;
const number = /[\w.]+/y;
const regularExpression = /\/(?:[^\\/[\n]|\\.|\[(?:[^\\\]\n]|\\.)*\])+\/[a-z]*/y;

/** Statements in the order of the text; undefined where the module is beyond what this can tell. */
export function findModuleSyntax(code: string): SyntaxPlace[] | undefined {
  return new ModuleScan(code).run();
}

class ModuleScan {
  readonly #code: string;
  readonly #places: SyntaxPlace[] = [];
  /** Brackets that are open: `{`, `(`, `[`, or `$` for the `${` of a template. */
  readonly #open: string[] = [];
  #at = 0;
  /** Whether an expression may begin here, so that a slash begins a regular expression. */
  #expectsValue = true;
  #failed = false;

  constructor(code: string) {
    this.#code = code;
  }

  run(): SyntaxPlace[] | undefined {
    while (this.#at < this.#code.length && !this.#failed) this.#step(this.#code[this.#at]);
    return this.#failed || this.#open.length > 0 ? undefined : this.#places;
  }

  #step(sign: string): void {
    trivia.lastIndex = this.#at;
    if (trivia.test(this.#code)) this.#at = trivia.lastIndex;
    else if (wordStart.test(sign)) this.#passWord();
    else if (sign === '"' || sign === "'") this.#passString(sign);
    else if (sign === "`") this.#passTemplate();
    else if (sign >= "0" && sign <= "9") this.#pass(number, false);
    else if (sign === "/" && this.#expectsValue) this.#pass(regularExpression, false);
    // What `++` and `--` stand before or behind of is a value either way.
    else if ((sign === "+" || sign === "-") && this.#code[this.#at + 1] === sign) this.#at += 2;
    else this.#passSign(sign);
  }

  #passSign(sign: string): void {
    this.#at++;
    if (sign === "{" || sign === "(" || sign === "[") this.#open.push(sign);
    this.#expectsValue = !")]}".includes(sign);
    if (this.#expectsValue) return;
    const opened = this.#open.pop();
    if (opened === "$" && sign === "}") this.#passTemplateText();
    else if (opened === undefined || `${opened}${sign}`.match(/^(\{\}|\(\)|\[\])$/) === null) this.#failed = true;
  }

  #passWord(): void {
    const at = this.#at;
    word.lastIndex = at;
    const [text] = word.exec(this.#code) ?? [this.#code[at]];
    this.#at += text.length;
    const isProperty = this.#code[at - 1] === "." && this.#code[at - 2] !== ".";
    this.#expectsValue = !isProperty && wordsBeforeExpressions.has(text);
    if (isProperty) return;
    const outside = this.#open.length === 0;
    if (text === "import" && this.#code[this.#at] === ".") this.#places.push({ kind: "meta", at });
    else if (text === "import" && this.#code[this.#at] === "(") return;
    else if ((text === "import" || text === "export") && outside) this.#places.push({ kind: text, at });
    else if (text === "await" && outside && !this.#isInAsyncArrow(at)) this.#failed = true;
  }

  /** An arrow function without brackets may wait, too. */
  #isInAsyncArrow(at: number): boolean {
    const statement = this.#code.slice(this.#code.lastIndexOf(";", at) + 1, at);
    return /\basync\b[^;]*=>/.test(statement);
  }

  #passString(quote: string): void {
    let at = this.#at + 1;
    while (this.#code[at] !== quote) {
      if (at >= this.#code.length || this.#code[at] === "\n") return void (this.#failed = true);
      at += this.#code[at] === "\\" ? 2 : 1;
    }
    this.#at = at + 1;
    this.#expectsValue = false;
  }

  #passTemplate(): void {
    this.#at++;
    this.#passTemplateText();
  }

  /** From within a template up to its end, or to the expression that comes first. */
  #passTemplateText(): void {
    for (let at = this.#at; at < this.#code.length; at++) {
      const sign = this.#code[at];
      if (sign === "\\") at++;
      else if (sign === "`") {
        this.#at = at + 1;
        this.#expectsValue = false;
        return;
      } else if (sign === "$" && this.#code[at + 1] === "{") {
        this.#open.push("$");
        this.#at = at + 2;
        this.#expectsValue = true;
        return;
      }
    }
    this.#failed = true;
  }

  /** What the pattern matches here, or else the scan fails. */
  #pass(pattern: RegExp, expectsValue: boolean): void {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#code);
    if (found === null) return void (this.#failed = true);
    this.#at += found[0].length;
    this.#expectsValue = expectsValue;
  }
}
