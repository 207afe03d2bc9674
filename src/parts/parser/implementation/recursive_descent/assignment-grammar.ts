/**
 * What a column is set to: a value, or arithmetic over values and columns of the row.
 *
 *   sum     = product { ( + | - ) product }
 *   product = factor { ( * | / | % | DIV | MOD ) factor }
 *   factor  = "(" sum ")" | - factor | + factor | VALUES "(" column ")" | MOD "(" sum "," sum ")" | column | value
 *
 * Operators of one rank go from left to right. The number of operators has a limit, so that no reader of the result
 * recurs deeper than that.
 */
import type { ArithmeticOperator } from "../../../concurrency/transaction/command.ts";
import { notSelected, notServed, SqlError } from "../../../query_processing/executor.ts";
import type { Assigned } from "../../statement.ts";
import { parseColumn, refuseSubquery } from "./condition-grammar.ts";
import { refusalOfFunction } from "./leaf-refusal.ts";
import type { TokenStream } from "./token-stream.ts";

const operatorsMax = 60;
const zero: Assigned = { kind: "constant", value: 0 };
const unserved: ReadonlySet<string> = new Set(["&", "|", "^", "~", "||", "&&"]);

/** `inserted`: whether `VALUES(column)` means something here. */
export function parseAssignment(stream: TokenStream, inserted: boolean): Assigned {
  if (stream.isWord("DEFAULT")) throw notSelected("parser/syntax/constraints/check", "DEFAULT as a value");
  const parsed = new AssignmentParser(stream, inserted).sum();
  if (stream.kind === "symbol" && unserved.has(stream.text)) {
    throw notServed(`the operator ${stream.text}`, "+, -, *, / and % are");
  }
  return parsed;
}

class AssignmentParser {
  readonly #stream: TokenStream;
  readonly #inserted: boolean;
  #operators = 0;

  constructor(stream: TokenStream, inserted: boolean) {
    this.#stream = stream;
    this.#inserted = inserted;
  }

  sum(): Assigned {
    return this.#stream.nested(() => {
      let left = this.#product();
      for (;;) {
        const operator = this.#operator(["+", "-"]);
        if (operator === undefined) return left;
        left = this.#operation(operator, left, this.#product());
      }
    });
  }

  #product(): Assigned {
    let left = this.#factor();
    for (;;) {
      const operator = this.#operator(["*", "/", "%"]) ?? this.#division();
      if (operator === undefined) return left;
      left = this.#operation(operator, left, this.#factor());
    }
  }

  #operator(wanted: readonly ArithmeticOperator[]): ArithmeticOperator | undefined {
    return wanted.find((symbol) => this.#stream.acceptSymbol(symbol));
  }

  #division(): ArithmeticOperator | undefined {
    if (this.#stream.acceptWord("DIV")) return "DIV";
    return this.#stream.acceptWord("MOD") ? "%" : undefined;
  }

  #operation(operator: ArithmeticOperator, left: Assigned, right: Assigned): Assigned {
    if (++this.#operators > operatorsMax) {
      throw new SqlError("limit_exceeded", `an expression has more than ${operatorsMax} operators`);
    }
    return { kind: "operation", operator, left, right };
  }

  #factor(): Assigned {
    const stream = this.#stream;
    refuseSubquery(stream);
    if (stream.acceptSymbol("(")) {
      refuseSubquery(stream);
      const inner = this.sum();
      stream.expectSymbol(")");
      return inner;
    }
    if (stream.isSymbol("-") || stream.isSymbol("+")) return this.#signed();
    if (stream.kind === "literal" || stream.kind === "parameter") return stream.operand();
    const constant = stream.isWord("NULL") || stream.isWord("TRUE") || stream.isWord("FALSE");
    if (constant || (stream.kind === "word" && stream.text.startsWith("_"))) return stream.operand();
    if (stream.isWord("CASE")) throw notSelected("parser/syntax/expression/conditional", "CASE");
    if (stream.isWord("VALUES")) return this.#valuesOf();
    if (stream.isWord("MOD")) return this.#modulo();
    const refusal = stream.kind === "word" ? refusalOfFunction(stream.text) : undefined;
    if (refusal !== undefined) {
      const place = stream.mark();
      stream.next();
      if (stream.isSymbol("(")) throw refusal;
      stream.reset(place);
    }
    return { kind: "column", column: parseColumn(stream) };
  }

  /** A sign before a value belongs to the value, so that the smallest integer can be written. */
  #signed(): Assigned {
    const stream = this.#stream;
    const place = stream.mark();
    const negative = stream.isSymbol("-");
    stream.next();
    if (stream.kind === "literal" || stream.kind === "parameter") {
      stream.reset(place);
      return stream.operand();
    }
    const factor = stream.nested(() => this.#factor());
    return negative ? this.#operation("-", zero, factor) : factor;
  }

  #modulo(): Assigned {
    const stream = this.#stream;
    stream.next();
    stream.expectSymbol("(");
    const left = this.sum();
    stream.expectSymbol(",");
    const right = this.sum();
    stream.expectSymbol(")");
    return this.#operation("%", left, right);
  }

  #valuesOf(): Assigned {
    const stream = this.#stream;
    if (!this.#inserted) throw stream.unexpected("a value");
    stream.next();
    stream.expectSymbol("(");
    const column = parseColumn(stream);
    stream.expectSymbol(")");
    return { kind: "inserted", column };
  }
}
