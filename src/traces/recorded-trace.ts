/**
 * Reads a recorded trace: one JSON object per line and operation, which any program can write of its own calls.
 *
 *     {"lathe_trace": 1}                                                              first line
 *     {"op": "get", "table": "kv", "key": ["user:1"], "at_us": 12, "session": "3"}
 *     {"op": "put", "table": "kv", "key": ["user:1"], "value_bytes": 120, "ttl_s": 1800}
 *     {"op": "scan", "table": "kv", "key": ["user:"], "limit": 50}
 *     {"op": "begin"} … {"op": "commit"}
 *
 * | field       | what                                                                                        |
 * |-------------|---------------------------------------------------------------------------------------------|
 * | op          | get, put, insert, update, delete, scan, begin, commit, rollback                             |
 * | table       | default `kv`                                                                                |
 * | key         | a text or number, or a list of them: the parts of the primary key                           |
 * | value_bytes | size of what is written                                                                     |
 * | limit       | rows that a scan reads                                                                      |
 * | ttl_s       | seconds after which what is written expires                                                 |
 * | at_us       | time, microseconds since any beginning; duration_us: how long it took                       |
 * | session     | who, a text or number; operations of one session come one after the other                   |
 */
import type { SessionSample } from "./session-sample.ts";
import type { Comparison } from "./statement-conditions.ts";
import type { StatementFacts } from "./statement-facts.ts";
import type { Verb } from "./statement-verb.ts";
import { UnparsedList } from "./unparsed.ts";
import type { WorkloadObserver } from "./workload-observer.ts";

const verbs: Readonly<Record<string, Verb>> = {
  get: "select", read: "select", scan: "select", put: "replace", insert: "insert", update: "update", delete: "delete",
  begin: "begin", commit: "commit", rollback: "rollback",
};

export class RecordedTrace {
  readonly unparsed = new UnparsedList();
  operations = 0;
  readonly #workload: WorkloadObserver;

  readonly #sample: SessionSample | undefined;

  constructor(workload: WorkloadObserver, sample?: SessionSample) {
    this.#workload = workload;
    this.#sample = sample;
  }

  line(text: string, number: number, dropped: number): void {
    if (text.trim() === "") return;
    const operation = dropped > 0 ? undefined : parseLine(text);
    if (operation === undefined) {
      this.unparsed.add(number, dropped > 0 ? "a line of more than 1 MiB" : "no JSON object", text);
      return;
    }
    if (operation.lathe_trace !== undefined) {
      if (operation.lathe_trace !== 1) this.unparsed.add(number, "a version of the format that is not known", text);
      return;
    }
    const verb = typeof operation.op === "string" && Object.hasOwn(
      verbs, operation.op
    ) ? verbs[operation.op] : undefined;
    if (verb === undefined) {
      this.unparsed.add(number, `no op of ${Object.keys(verbs).join(", ")}`, text);
      return;
    }
    this.operations++;
    const { at_us: at, duration_us: duration, session } = operation;
    const event = {
      kind: "statement", sql: text, dropped: 0, line: number,
      session: typeof session === "string" || typeof session === "number" ? String(session) : "?",
      timeMs: typeof at === "number" ? at / 1000 : undefined,
      durationUs: typeof duration === "number" ? duration : undefined,
    } as const;
    if (this.#sample !== undefined && !this.#sample.takes(event.session, true)) return this.#workload.pass(event);
    this.#workload.takeFacts(factsOf(String(operation.op), verb, operation), text, event);
  }
}

function parseLine(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

const keyPartsMax = 16;

function factsOf(op: string, verb: Verb, operation: Readonly<Record<string, unknown>>): StatementFacts {
  const table = typeof operation.table === "string" ? operation.table.toLowerCase().slice(0, 64) : "kv";
  const given = operation.key === undefined ? [] : Array.isArray(operation.key) ? operation.key : [operation.key];
  const parts = given.slice(0, keyPartsMax).map((part) => String(part).slice(0, 256));
  const scans = op === "scan";
  const column = (at: number) => (parts.length > 1 ? `k${at + 1}` : "k");
  const compares = verb === "select" || verb === "update" || verb === "delete";
  const comparisons = parts.map((value, at): Comparison => ({
    column: column(at), operator: scans ? "range" : "=", values: [value], slots: [0],
  }));
  const bytes = typeof operation.value_bytes === "number" ? Math.max(0, operation.value_bytes) : 0;
  const writes = verb === "insert" || verb === "replace" || verb === "update";
  const keys = compares ? [] : parts.map((value, at) => (
    { column: column(at), value, slot: 0, bytes: value.length, isText: false }
  ));
  const stored = { column: "v", value: "x".repeat(Math.min(bytes, 256)), slot: 0, bytes, isText: true };
  const { limit } = operation;
  return {
    verb, fingerprint: `${op} ${table}`, tables: [table], residual: false,
    comparisons: compares ? comparisons : [],
    needs: operation.ttl_s === undefined ? [] : ["ttl"],
    orderBy: [], limit: limit !== undefined,
    limitTo: typeof limit === "number" ? { value: String(limit), slot: 0 } : undefined,
    rows: writes && verb !== "update" ? 1 : 0,
    assigned: [...keys, ...(writes ? [stored] : [])],
    comparesTime: false, cut: false, isTemplate: false,
  };
}
