/** ExecutorCounters: what the executor counts, and its Prometheus names. */
import type { Metric } from "../../../../../kit/metric.ts";

export class ExecutorCounters {
  readonly statements = { select: 0, insert: 0, update: 0, delete: 0, ddl: 0, session: 0, transaction: 0 };
  failures = 0;
  conflicts = 0;
  rowCacheHits = 0;
  rowCacheMisses = 0;
  planCacheHits = 0;
  planCacheMisses = 0;
  replans = 0;

  metrics(): Metric[] {
    const counter = (name: string, help: string, value: number, labels?: Record<string, string>): Metric => ({
      kind: "counter",
      name: `lathe_executor_${name}_total`,
      help,
      value,
      ...(labels === undefined ? {} : { labels }),
    });
    return [
      ...Object.entries(this.statements).map(([kind, count]) =>
        counter("statements", "Statements run.", count, { kind }),
      ),
      counter("failures", "Statements that ended in an error.", this.failures),
      counter("conflicts", "Transactions refused at their commit.", this.conflicts),
      counter("row_cache_hits", "Point reads answered from the row cache.", this.rowCacheHits),
      counter("row_cache_misses", "Point reads that went to the engine.", this.rowCacheMisses),
      counter("plan_cache_hits", "Text statements whose plan was there.", this.planCacheHits),
      counter("plan_cache_misses", "Text statements that were parsed and planned.", this.planCacheMisses),
      counter("replans", "Plans made anew because the catalog had changed.", this.replans),
    ];
  }
}
