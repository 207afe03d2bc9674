/**
 * Part descriptors: the `part.yaml` of every part under `src/parts`, which is all that the workshop knows about a part.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { z } from "zod";
import { LatheError } from "../kit/errors.ts";
import { formatProblem, readYaml } from "../knobs/yaml-document.ts";

const leafPath = z.string().regex(/^[a-z][a-z0-9_]*(\/[a-z0-9_]+)*$/, "a leaf's path, as core/wal");
const sourceFile = z.string().regex(/^[A-Za-z0-9_./-]+\.ts$/, "a .ts file");

export const partSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]*$/, "a name of small letters, digits and -"),
  /** The first one is the primary leaf, at whose path the part lives. */
  leaves: z.array(leafPath).min(1),
  /** Port files, relative to `src/parts`. */
  provides: z.array(sourceFile),
  requires: z.array(sourceFile),
  entry: sourceFile,
  knobs: z.array(z.string()),
  capabilities: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  conformance: z.array(sourceFile),
});

export type PartFile = z.output<typeof partSchema>;

export interface PartDescriptor extends PartFile {
  /** Folder, relative to `src/parts`, with `/`. */
  readonly path: string;
}

/** The source tree that products are cut from: `src/` of the repository, also where Lathe runs from `dist/`. */
export const sourceRoot = join(import.meta.dirname, "..", "..", "src");

/** All parts, sorted by path. Errors: INVALID_ARGUMENT with every problem of every descriptor. */
export function loadPartDescriptors(partsRoot: string = join(sourceRoot, "parts")): PartDescriptor[] {
  const problems: string[] = [];
  const parts: PartDescriptor[] = [];
  for (const file of findDescriptors(partsRoot)) {
    const shown = relative(dirname(partsRoot), file);
    const read = readYaml(readFileSync(file, "utf8"), shown, partSchema);
    if (!read.ok) {
      problems.push(...read.problems.map(formatProblem));
      continue;
    }
    const path = relative(partsRoot, dirname(file)).split(sep).join("/");
    const part: PartDescriptor = { ...read.value, path };
    problems.push(...missingFiles(part, partsRoot).map((message) => `${shown}: ${message}`));
    parts.push(part);
  }
  const names = parts.map((part) => part.name);
  for (const [at, name] of names.entries()) {
    if (names.indexOf(name) < at) problems.push(`${parts[at].path}/part.yaml: there is another part named ${name}`);
  }
  if (problems.length > 0) throw new LatheError("INVALID_ARGUMENT", problems.join("\n"), { details: { problems } });
  return parts.sort((one, other) => (one.path < other.path ? -1 : 1));
}

function missingFiles(part: PartDescriptor, partsRoot: string): string[] {
  const inside = [part.entry];
  const outside = [...part.provides, ...part.requires];
  const missing = [
    ...inside.filter((file) => !existsSync(join(partsRoot, part.path, file))),
    ...outside.filter((file) => !existsSync(join(partsRoot, file))),
    ...part.conformance.filter((file) => resolveConformance(part, file, partsRoot) === undefined),
  ];
  return missing.map((file) => `${file} does not exist`);
}

/** A conformance suite is named relative to `src/parts`, or beside the part. Returns the path below `src/parts`. */
export function resolveConformance(
  part: Pick<PartDescriptor, "path">,
  file: string,
  partsRoot: string,
): string | undefined {
  return [file, `${part.path}/${file}`].find((path) => existsSync(join(partsRoot, path)));
}

function findDescriptors(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return findDescriptors(path);
    return entry.name === "part.yaml" ? [path] : [];
  });
}
