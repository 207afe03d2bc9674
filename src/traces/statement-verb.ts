/** What kind of statement a first word begins, in either dialect. */
export type Verb =
  | "select" | "insert" | "replace" | "update" | "delete" | "begin" | "commit" | "rollback" | "session" | "definition"
  | "truncate" | "load" | "call" | "administration" | "unknown";

/** By the first word, in capitals. */
export const verbs: Readonly<Record<string, Verb>> = {
  SELECT: "select", VALUES: "select", TABLE: "select", INSERT: "insert", REPLACE: "replace", UPDATE: "update",
  DELETE: "delete", MERGE: "update", BEGIN: "begin", START: "begin", COMMIT: "commit", END: "commit",
  ROLLBACK: "rollback", ABORT: "rollback", SET: "session", RESET: "session", USE: "session", SHOW: "session",
  DISCARD: "session", DEALLOCATE: "session", PREPARE: "session", SAVEPOINT: "session", RELEASE: "session",
  CREATE: "definition", ALTER: "definition", DROP: "definition", RENAME: "definition", COMMENT: "definition",
  TRUNCATE: "truncate", COPY: "load", LOAD: "load", CALL: "call", EXECUTE: "call", DO: "call",
  GRANT: "administration", REVOKE: "administration", ANALYZE: "administration", VACUUM: "administration",
  OPTIMIZE: "administration", CHECK: "administration", FLUSH: "administration", KILL: "administration",
  EXPLAIN: "administration", DESCRIBE: "administration", DESC: "administration", LOCK: "administration",
  UNLOCK: "administration", LISTEN: "administration", NOTIFY: "administration", CLUSTER: "administration",
  REINDEX: "administration", CHECKPOINT: "administration", DECLARE: "administration", FETCH: "administration",
  CLOSE: "administration", HANDLER: "administration", INSTALL: "administration", PURGE: "administration",
  REFRESH: "administration", SHUTDOWN: "administration", BACKUP: "administration", XA: "administration",
};
