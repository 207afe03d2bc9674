/**
 * IndexGrammar: the rules that a product with secondary indexes adds to its parser.
 *
 * Purpose: a parser without them refuses KEY and CREATE INDEX by the name of the leaf; with them, it asks here.
 * Contract: a rule takes what it knows from the stream and throws SqlError for anything else.
 */
import type { SqlError } from "../query_processing/executor.ts";
import type { CreateIndexStatement, DropIndexStatement, IndexDefinition } from "./statement.ts";

/** The part of a parser's token stream that rules need. Words are in capitals, names as written. */
export interface GrammarStream {
  readonly kind: string;
  readonly text: string;
  isWord(word: string): boolean;
  acceptWord(word: string): boolean;
  expectWord(word: string): void;
  isSymbol(symbol: string): boolean;
  acceptSymbol(symbol: string): boolean;
  expectSymbol(symbol: string): void;
  name(what: string): string;
  qualifiedName(what: string): string;
  /** An error for what stands here, and one with a reason of its own. */
  unexpected(expected: string): SqlError;
  syntax(why: string): SqlError;
}

export interface IndexGrammar {
  /** `KEY [name] (column, …)` or `INDEX …` among the columns of CREATE TABLE; the stream stands on KEY or INDEX. */
  clause(stream: GrammarStream): IndexDefinition;
  /** After CREATE; the stream stands on INDEX. */
  create(stream: GrammarStream): CreateIndexStatement;
  /** After DROP; the stream stands on INDEX. */
  drop(stream: GrammarStream): DropIndexStatement;
}
