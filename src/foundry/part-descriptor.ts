/**
 * Part descriptors: the `part.yaml` of every part under `src/parts`, which is all that the workshop knows about a part.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { z } from "zod";
import { LatheError } from "../kit/errors.ts";
import { formatProblem, readYaml } from "../knobs/yaml-document.ts";
import { roleNames, roleSpec } from "./role.ts";

const leafPath = z.string().regex(/^[a-z][a-z0-9_]*(\/[a-z0-9_]+)*$/, "a leaf's path, as core/wal");
const sourceFile = z.string().regex(/^[A-Za-z0-9_./-]+\.ts$/, "a .ts file");
const exported = z
  .string()
  .regex(/^([A-Za-z0-9_-]+\.ts#)?[A-Za-z_$][\w$]*$/, "a name that is exported, or file.ts#name");

export const partSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]*$/, "a name of small letters, digits and -"),
  /** The place in the wiring that it takes (`role.ts`). */
  role: z.enum(roleNames),
  /** The first one is the primary leaf, at whose path the part lives: with it the part is taken and brings the rest. */
  leaves: z.array(leafPath).min(1),
  /** What it implements too where that is selected, without bringing it: alternatives that it serves alike. */
  offers: z.array(leafPath).default([]),
  /** Port files, relative to `src/parts`. */
  provides: z.array(sourceFile),
  requires: z.array(sourceFile),
  entry: sourceFile,
  /** By slot of the role: a name that the entry exports, or `file.ts#name` of a file beside it. */
  exports: z.record(z.string(), exported),
  knobs: z.array(z.string()),
  capabilities: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  conformance: z.array(sourceFile),
});

export type PartFile = z.output<typeof partSchema>;

export interface PartDescriptor extends PartFile {
  /** Folder, relative to `src/parts`, with `/`. */
  readonly path: string;
}

/** What a part implements: what it brings and what it offers. */
export function implementedLeaves({ leaves, offers }: Pick<PartDescriptor, "leaves" | "offers">): string[] {
  return [...leaves, ...offers];
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
    const found = [...missingFiles(part, partsRoot), ...slotProblems(part)];
    problems.push(...found.map((message) => `${shown}: ${message}`));
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
  const beside = Object.values(part.exports).flatMap((name) => (name.includes("#") ? [name.split("#")[0]] : []));
  const inside = [part.entry, ...beside];
  const outside = [...part.provides, ...part.requires];
  const missing = [
    ...inside.filter((file) => !existsSync(join(partsRoot, part.path, file))),
    ...outside.filter((file) => !existsSync(join(partsRoot, file))),
    ...part.conformance.filter((file) => resolveConformance(part, file, partsRoot) === undefined),
  ];
  return missing.map((file) => `${file} does not exist`);
}

/** What the wiring asks of the role and the part does not say, and the other way round. */
function slotProblems({ role, exports: named }: PartDescriptor): string[] {
  const { slots, optionalSlots } = roleSpec(role);
  const known = [...slots, ...optionalSlots];
  return [
    ...slots.filter((slot) => named[slot] === undefined)
      .map((slot) => `exports lacks ${slot}, which the wiring calls of the role ${role}`),
    ...Object.keys(named).filter((slot) => !known.includes(slot))
      .map((slot) => `exports has ${slot}; the role ${role} knows ${known.join(", ")}`),
  ];
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
