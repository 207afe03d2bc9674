/** SqlIndexes: secondary indexes with the rules that they add to a parser of SQL. Products without SQL lack it. */
import type { IndexGrammar } from "../parser/key-grammar.ts";
import type { SecondaryIndexes } from "./secondary-indexes.ts";

export interface SqlIndexes extends SecondaryIndexes {
  readonly grammar: IndexGrammar;
}
