/**
 * Which storage engine a product has, for gates that judge by what an engine promises: one that keeps all data in
 * memory may grow with them, and has no sorted files.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Whether the product keeps all data in memory. */
export function isInMemory(productDirectory: string): boolean {
  const file = join(productDirectory, "selection.json");
  if (!existsSync(file)) return false;
  const { leaves } = JSON.parse(readFileSync(file, "utf8")) as { readonly leaves?: readonly string[] };
  return leaves?.includes("storage/storage_model/memory") ?? false;
}
