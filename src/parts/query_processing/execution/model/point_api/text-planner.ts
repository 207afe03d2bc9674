/**
 * TextPlanner: finds the statements of a text and their plans, from the cache or anew.
 *
 * Use: `begin(text)`, then `plan(at)` per statement; the literals' values stand in `values` from `base` on, the
 * statement ends at `end`. One text at a time: a caller that waits between statements begins again with `resume`.
 */
import type { ColumnValue } from "../../../../architecture/catalog/table.ts";
import { startsComment, TextScanner } from "../../../../parser/text-scanner.ts";
import { SqlError } from "../../../executor.ts";
import { type Plan, type RunDoors } from "./plan.ts";
import { planStatement } from "./planner.ts";
import { type CachedPlan, TextPlanCache } from "./text-plan-cache.ts";

export class TextPlanner {
  /** Values of the statements planned since `begin` or `clearValues`, one after another. */
  values: ColumnValue[] = [];
  /** Where the last planned statement's values begin, and where its text ends. */
  base = 0;
  end = 0;
  readonly #doors: RunDoors;
  readonly #cache: TextPlanCache;
  readonly #scanner = new TextScanner();
  #used = 0;
  /** The entry planned last; before the first statement of a text, a stand-in whose `next` began the text before. */
  #last: CachedPlan;
  readonly #start: CachedPlan;

  constructor(doors: RunDoors) {
    this.#doors = doors;
    this.#cache = new TextPlanCache(doors.bounds.planCacheEntries, doors.bounds.planCacheBytes);
    const plan: Plan = { kind: "begin", label: "transaction", shape: undefined };
    this.#start = { segments: [], hash: 0, bytes: 0, plan, catalogVersion: 0, next: undefined };
    this.#last = this.#start;
  }

  begin(sql: string): void {
    this.#scanner.begin(sql);
    this.#last = this.#start;
    this.clearValues();
  }

  /** Goes on with a text after other texts may have been planned. */
  resume(sql: string): void {
    this.begin(sql);
  }

  clearValues(): void {
    this.#used = 0;
  }

  /** The place of the next statement from `at` on, or -1 where there is none. */
  next(at: number): number {
    const { sql } = this.#scanner;
    let place = at;
    while (place < sql.length) {
      const code = sql.charCodeAt(place);
      if (code <= 0x20 || code === 0x3b) {
        place++;
      } else if ((code === 0x2d || code === 0x2f || code === 0x23) && startsComment(sql, place)) {
        const close = code === 0x2f ? sql.indexOf("*/", place + 2) : sql.indexOf("\n", place);
        // A comment that does not end, or that MySQL runs, is for the parser to judge.
        if (code === 0x2f && sql.charCodeAt(place + 2) === 0x21) return place;
        if (close < 0) return code === 0x2f ? place : -1;
        place = close + (code === 0x2f ? 2 : 1);
      } else {
        return place;
      }
    }
    return -1;
  }

  /** Plans the statement at `at`. Throws SqlError. */
  plan(at: number): Plan {
    const { catalog, counters } = this.#doors;
    this.base = this.#used;
    const expected = this.#last.next;
    if (expected !== undefined && expected.catalogVersion === catalog.version) {
      const end = this.#scanner.match(expected.segments, at, this.values, this.base);
      if (end >= 0) return this.#hit(expected, end, expected.segments.length - 1);
    }
    const end = this.#scanner.shape(at);
    if (end < 0) return this.#planOnce(at);
    const found = this.#cache.find(this.#scanner);
    if (found !== undefined && found.catalogVersion === catalog.version) {
      this.#takeValues(this.#scanner.values);
      return this.#hit(found, end, 0);
    }
    counters.planCacheMisses++;
    return this.#planShape(at, found);
  }

  #hit(entry: CachedPlan, end: number, valueCount: number): Plan {
    this.#doors.counters.planCacheHits++;
    this.#used += valueCount;
    this.end = end;
    this.#last.next = entry;
    this.#last = entry;
    return entry.plan;
  }

  /** Parses with literals as parameters and keeps the plan; falls back on literals as they are. */
  #planShape(at: number, stale: CachedPlan | undefined): Plan {
    const { parser, catalog } = this.#doors;
    const { sql, segments, hash } = this.#scanner;
    if (!mayHaveLiterals(sql, at)) return this.#planOnce(at);
    let parsed: ReturnType<typeof parser.parse>;
    try {
      parsed = parser.parse(sql, at, "parameters");
    } catch {
      // For instance SELECT 'text', where a literal is not a value of a row. The plain parse decides.
      return this.#planOnce(at);
    }
    if (!cacheable.has(parsed.statement.kind) || parsed.values.length !== segments.length - 1) {
      return this.#planOnce(at);
    }
    const plan = planStatement(this.#doors, parsed.statement);
    this.#takeValues(parsed.values);
    this.end = parsed.end;
    if (stale !== undefined) {
      stale.plan = plan;
      stale.catalogVersion = catalog.version;
      this.#last.next = stale;
      this.#last = stale;
      return plan;
    }
    const entry = this.#cache.add(segments, hash, plan, catalog.version);
    if (entry !== undefined) {
      this.#last.next = entry;
      this.#last = entry;
    }
    return plan;
  }

  #planOnce(at: number): Plan {
    const parsed = this.#doors.parser.parse(this.#scanner.sql, at, "constants");
    if (parsed.parameterCount > 0) {
      throw new SqlError("syntax", "a text has no parameters; prepare the statement to use ?");
    }
    this.end = parsed.end;
    return planStatement(this.#doors, parsed.statement);
  }

  #takeValues(values: readonly ColumnValue[]): void {
    for (let i = 0; i < values.length; i++) this.values[this.#used + i] = values[i];
    this.#used += values.length;
  }
}

const cacheable = new Set(["select", "insert", "update", "delete", "begin", "commit", "rollback"]);

/** Whether it begins as a statement on rows or a transaction's border, told by its first letter. */
function mayHaveLiterals(sql: string, at: number): boolean {
  return "SIUDBCR".includes(sql[at].toUpperCase());
}
