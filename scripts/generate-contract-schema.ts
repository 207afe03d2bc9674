/**
 * Writes `catalog/contract.schema.json`, which editors use for `contract.yaml`, from the one schema of
 * the contract. Run: `node scripts/generate-contract-schema.ts` (a test fails when the file is stale).
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { contractSchema } from "../src/contract/schema.ts";
import { jsonSchemaOf } from "../src/knobs/yaml-document.ts";

export function contractJsonSchema(): string {
  return `${JSON.stringify({ title: "Lathe workload contract", ...jsonSchemaOf(contractSchema) }, null, 2)}\n`;
}

export const contractSchemaFile = join(import.meta.dirname, "..", "catalog", "contract.schema.json");

if (import.meta.main) writeFileSync(contractSchemaFile, contractJsonSchema());
