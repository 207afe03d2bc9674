/** The executor in memory with secondary indexes, a row cache and transactions that stay open. */
import { createStepRunner } from "../../src/parts/concurrency/transaction/model/one_shot_command/run-steps.ts";
import {
  createTransactions,
  type TransactionLimits,
} from "../../src/parts/concurrency/transaction/model/single_node_acid/transactions.ts";
import { kvSecondary } from "../../src/parts/indexing/equality/kv_secondary/kv-secondary.ts";
import {
  type InMemoryDoors,
  type InMemoryOptions,
  openInMemory,
} from "../../src/parts/query_processing/execution/model/point_api/in-memory-doors.fixture.ts";
import { createIndexedPlans } from "../../src/parts/query_processing/execution/model/point_api/indexed-plans.ts";
import { rowToKv } from "../../src/parts/storage/layout/row_to_kv/row-to-kv.ts";
import { createLruCache } from "../../src/parts/storage/page_io/replacement/lru/lru-cache.ts";

export function openWithTransactions(
  limits: Partial<TransactionLimits> = {},
  options: InMemoryOptions = {},
): InMemoryDoors {
  return openInMemory({
    indexes: kvSecondary,
    indexedPlans: createIndexedPlans(kvSecondary),
    cache: createLruCache({ capacityBytes: 1 << 16 }),
    transactions: ({ env, engine, catalog }) => {
      const steps = createStepRunner({ catalog, layout: rowToKv, indexes: kvSecondary });
      return createTransactions({ env, engine, catalog, steps, limits });
    },
    ...options,
  });
}
