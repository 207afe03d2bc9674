/**
 * The grammar of secondary indexes, as MySQL writes them.
 *
 *   clause = ( KEY | INDEX ) [ name ] "(" column, … ")"
 *   create = INDEX [ IF NOT EXISTS ] name ON table "(" column, … ")"
 *   drop   = INDEX [ IF EXISTS ] name ON table
 *
 * An index without a name is called after its first column. USING BTREE and ASC are accepted: entries are ordered.
 */
import { type GrammarStream, type IndexGrammar } from "../../../parser/key-grammar.ts";
import { notSelected, notServed, SqlError } from "../../../query_processing/executor.ts";

const columnsMax = 16;

export const ddlGrammar: IndexGrammar = {
  clause(stream) {
    if (!stream.acceptWord("KEY")) stream.expectWord("INDEX");
    const named = stream.isSymbol("(") || stream.isWord("USING") ? undefined : stream.name("an index");
    skipMethod(stream);
    const columns = parseColumns(stream);
    skipMethod(stream);
    return { name: named ?? columns[0], columns };
  },

  create(stream) {
    stream.expectWord("INDEX");
    let ifNotExists = false;
    if (stream.acceptWord("IF")) {
      stream.expectWord("NOT");
      stream.expectWord("EXISTS");
      ifNotExists = true;
    }
    const name = stream.name("an index");
    skipMethod(stream);
    stream.expectWord("ON");
    const table = stream.qualifiedName("a table");
    const columns = parseColumns(stream);
    skipMethod(stream);
    return { kind: "createIndex", table, index: { name, columns }, ifNotExists };
  },

  drop(stream) {
    stream.expectWord("INDEX");
    let ifExists = false;
    if (stream.acceptWord("IF")) {
      stream.expectWord("EXISTS");
      ifExists = true;
    }
    const name = stream.name("an index");
    stream.expectWord("ON");
    return { kind: "dropIndex", table: stream.qualifiedName("a table"), name, ifExists };
  },
};

function skipMethod(stream: GrammarStream): void {
  if (!stream.acceptWord("USING")) return;
  if (stream.acceptWord("BTREE")) return;
  throw notServed(`an index USING ${stream.text}`, "BTREE is, and may be left out");
}

function parseColumns(stream: GrammarStream): string[] {
  stream.expectSymbol("(");
  const columns: string[] = [];
  do {
    columns.push(stream.name("a column"));
    if (stream.isSymbol("(")) throw notSelected("indexing/modifiers/prefix", "an index on the beginning of a column");
    if (stream.isWord("DESC")) throw notSelected("indexing/modifiers/descending", "a descending index");
    stream.acceptWord("ASC");
    if (columns.length > columnsMax) {
      throw new SqlError("limit_exceeded", `an index has more than ${columnsMax} columns`);
    }
  } while (stream.acceptSymbol(","));
  stream.expectSymbol(")");
  return columns;
}
