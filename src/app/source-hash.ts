/** Names a state of the sources, tests left out, so that a record can say what its figures are of. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { sourceRoot } from "../foundry/part-descriptor.ts";

export function hashOfSources(rooms: readonly string[]): string {
  const hash = createHash("sha256");
  for (const room of rooms) {
    const names = readdirSync(join(sourceRoot, room), { recursive: true, encoding: "utf8" }).sort();
    for (const name of names) {
      if (!/\.[jt]s$/.test(name) || /\.(test|bench|fuzz|fixture|conformance)\.[jt]s$/.test(name)) continue;
      hash.update(`${room}/${name}\n`).update(readFileSync(join(sourceRoot, room, name)));
    }
  }
  return hash.digest("hex").slice(0, 16);
}
