/**
 * Which kind of read a SELECT needs: rows sent as they come, or gathered first.
 */
import type { SelectStatement } from "../../../../parser/statement.ts";
import type { KeyOrder } from "./key-order.ts";
import type { RunDoors } from "./plan.ts";

/** Whether rows must be gathered whatever their order. */
export function isGathered({ items, distinct }: SelectStatement): boolean {
  if (distinct === true) return true;
  return typeof items === "object" && items.some(({ aggregate }) => aggregate !== undefined);
}

/** Whether rows can be read in the wanted order. */
export function isServed({ engine }: RunDoors, order: KeyOrder): boolean {
  return order === "forward" || (order === "backward" && engine.capabilities.reverseScan);
}
