/** A catalog with one table and a secondary index, in memory. */
import { kvSecondary } from "./kv-secondary.ts";
import { createIndexedPlans } from "../../../query_processing/execution/model/point_api/indexed-plans.ts";
import { type InMemoryDoors, openInMemory, runOne } from "../../../query_processing/execution/model/point_api/in-memory-doors.fixture.ts";

export { errorOf, rowsOf, runOne, runPrepared } from "../../../query_processing/execution/model/point_api/in-memory-doors.fixture.ts";

export const createTable =
  "CREATE TABLE items (a BIGINT NOT NULL, b INT NOT NULL, name VARCHAR(20), PRIMARY KEY (b, a), KEY by_name (name))";

export async function openIndexed(): Promise<InMemoryDoors> {
  const doors = openInMemory({ indexes: kvSecondary, indexedPlans: createIndexedPlans(kvSecondary) });
  await runOne(doors.executor, createTable);
  return doors;
}
