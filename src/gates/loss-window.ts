/**
 * What a product's contract allows a loss of power to take: gates judge a product by what its contract says, and start
 * it as it starts by itself, which is `fast` where losses are allowed.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { loadContract } from "../contract/parse.ts";

/** In ms; undefined where every answer promises a flush, as where there is no contract. */
export function lossWindowOf(productDirectory: string): number | undefined {
  const file = join(productDirectory, "contract.yaml");
  if (!existsSync(file)) return undefined;
  const { durability, lossWindowMs } = loadContract(file).storage;
  return durability === "interval" ? lossWindowMs : undefined;
}
