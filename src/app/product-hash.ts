/** What a study belongs to: the code and the defaults of the product that it measured. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readManifest } from "../foundry/product-manifest.ts";
import { LatheError } from "../kit/errors.ts";

const digits = 16;

/**
 * Hash of every generated file of a product as it is now, edits of its owner included. Errors: NOT_FOUND,
 * CORRUPTION.
 */
export function productHash(productDirectory: string): string {
  const manifest = readManifest(productDirectory);
  if (manifest === undefined) {
    throw new LatheError("NOT_FOUND", `${productDirectory} holds no product: \`lathe build\` makes one`);
  }
  const hash = createHash("sha256");
  for (const path of Object.keys(manifest.files).sort()) {
    const file = join(productDirectory, path);
    const content = existsSync(file) ? createHash("sha256").update(readFileSync(file)).digest("hex") : "removed";
    hash.update(`${path} ${content}\n`);
  }
  return hash.digest("hex").slice(0, digits);
}
