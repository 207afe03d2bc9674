/**
 * Does a text hold more than one statement?
 *
 * Clients that did not ask for CLIENT_MULTI_STATEMENTS must not be able to send them: it is what
 * keeps an injected `; DROP TABLE` from running. The text is scanned as MySQL's lexer does: strings
 * in single and double quotes with backslash escapes, identifiers in backticks, comments `#`, `-- `
 * and slash-star. Inside of those a semicolon is a character. A quote without an end reaches to the
 * end of the text. What stands in a comment with `!`, which MySQL runs, is read both ways, as code
 * and as a comment: a text must be one statement in either reading.
 */
export function holdsSeveralStatements(sql: string): boolean {
  if (!sql.includes(";")) return false;
  return scan(sql, "code") || (sql.includes("/*!") && scan(sql, "comment"));
}

function scan(sql: string, versionComments: "code" | "comment"): boolean {
  let at = 0;
  let ended = false;
  while (at < sql.length) {
    const next = skipSpaceOrComment(sql, at, versionComments);
    if (next > at) {
      at = next;
      continue;
    }
    const character = sql[at];
    if (character === ";") {
      ended = true;
      at++;
      continue;
    }
    if (ended) return true;
    const quoted = character === "'" || character === '"' || character === "`";
    at = quoted ? skipQuoted(sql, at, character) : at + 1;
  }
  return false;
}

/** A comment without an end counts as code: the executor will not take it for nothing. */
function skipSpaceOrComment(sql: string, at: number, versionComments: "code" | "comment"): number {
  const code = sql.charCodeAt(at);
  if (code === 0x20 || (code >= 0x09 && code <= 0x0d)) return at + 1;
  if (sql[at] === "#" || (sql.startsWith("--", at) && isSpaceOrEnd(sql, at + 2))) {
    const end = sql.indexOf("\n", at);
    return end === -1 ? sql.length : end + 1;
  }
  if (sql.startsWith("/*", at) && (sql[at + 2] !== "!" || versionComments === "comment")) {
    const end = sql.indexOf("*/", at + 2);
    return end === -1 ? at : end + 2;
  }
  return at;
}

function isSpaceOrEnd(sql: string, at: number): boolean {
  return at >= sql.length || sql.charCodeAt(at) <= 0x20;
}

/** The position behind a quoted run; a doubled quote reads as two runs, which comes to the same. */
function skipQuoted(sql: string, start: number, quote: string): number {
  for (let at = start + 1; at < sql.length; at++) {
    if (sql[at] === "\\" && quote !== "`") at++;
    else if (sql[at] === quote) return at + 1;
  }
  return sql.length;
}
