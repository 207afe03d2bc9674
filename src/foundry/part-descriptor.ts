/**
 * Part descriptors: the `part.yaml` of every part under `src/parts`, and of the user's own, which is all that the
 * workshop knows about a part.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
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
  /** The user's directory of parts that it comes from; undefined for the library's. */
  readonly origin?: string | undefined;
}

/** What a part implements: what it brings and what it offers. */
export function implementedLeaves({ leaves, offers }: Pick<PartDescriptor, "leaves" | "offers">): string[] {
  return [...leaves, ...offers];
}

/** The source tree that products are cut from: `src/` of the repository, also where Lathe runs from `dist/`. */
export const sourceRoot = join(import.meta.dirname, "..", "..", "src");

const libraryRoot = join(sourceRoot, "parts");

/** All parts, sorted by path. Errors: INVALID_ARGUMENT with every problem of every descriptor. */
export function loadPartDescriptors(partsRoot: string = libraryRoot): PartDescriptor[] {
  const { parts, problems } = readDescriptors(partsRoot, [partsRoot]);
  refuseProblems([...problems, ...sameNames(parts)]);
  return sorted(parts);
}

/**
 * The library with parts of the user's own directories, which are laid out as `src/parts` is. One at the path of
 * another takes its place, of two directories the first that is named; at other paths they stand beside.
 * Errors: NOT_FOUND for a directory that is missing or holds no part; INVALID_ARGUMENT with every problem.
 */
export function withOwnParts(library: readonly PartDescriptor[], directories: readonly string[]): PartDescriptor[] {
  const byPath = new Map(library.map((part) => [part.path, part]));
  const problems: string[] = [];
  for (const directory of directories.map((one) => resolve(one)).reverse()) {
    if (!existsSync(directory) || !statSync(directory).isDirectory()) {
      throw new LatheError("NOT_FOUND", `there is no directory of parts ${directory}`);
    }
    const read = readDescriptors(directory, [directory, libraryRoot]);
    if (read.found === 0) {
      const layout = "a part has its files in DIR/LEAF/, as DIR/storage/page_io/replacement/clock_sweep/part.yaml";
      throw new LatheError("NOT_FOUND", `${directory} holds no part.yaml; ${layout}`);
    }
    problems.push(...read.problems);
    for (const part of read.parts) byPath.set(part.path, { ...part, origin: directory });
  }
  const parts = sorted([...byPath.values()]);
  refuseProblems([...problems, ...sameNames(parts)]);
  return parts;
}

interface ReadDescriptors {
  /** Files, read or not. */
  readonly found: number;
  readonly parts: readonly PartDescriptor[];
  readonly problems: readonly string[];
}

/** `roots`: where ports may lie. */
function readDescriptors(partsRoot: string, roots: readonly string[]): ReadDescriptors {
  const problems: string[] = [];
  const parts: PartDescriptor[] = [];
  const files = findDescriptors(partsRoot);
  for (const file of files) {
    const shown = relative(dirname(partsRoot), file);
    const read = readYaml(readFileSync(file, "utf8"), shown, partSchema);
    if (!read.ok) {
      problems.push(...read.problems.map(formatProblem));
      continue;
    }
    const path = relative(partsRoot, dirname(file)).split(sep).join("/");
    const part: PartDescriptor = { ...read.value, path };
    const away = part.leaves[0] === path ? [] : [`it lies at ${path}, and its first leaf is ${part.leaves[0]}`];
    const found = [...away, ...missingFiles(part, partsRoot, roots), ...slotProblems(part)];
    problems.push(...found.map((message) => `${shown}: ${message}`));
    parts.push(part);
  }
  return { found: files.length, parts, problems };
}

function sameNames(parts: readonly PartDescriptor[]): string[] {
  const names = parts.map((part) => part.name);
  return parts.flatMap(({ path, name }, at) =>
    names.indexOf(name) < at ? [`${path}/part.yaml: there is another part named ${name}`] : [],
  );
}

function refuseProblems(problems: readonly string[]): void {
  if (problems.length > 0) throw new LatheError("INVALID_ARGUMENT", problems.join("\n"), { details: { problems } });
}

function sorted(parts: readonly PartDescriptor[]): PartDescriptor[] {
  return [...parts].sort((one, other) => (one.path < other.path ? -1 : 1));
}

function missingFiles(part: PartDescriptor, partsRoot: string, roots: readonly string[]): string[] {
  const beside = Object.values(part.exports).flatMap((name) => (name.includes("#") ? [name.split("#")[0]] : []));
  const inside = [part.entry, ...beside];
  const outside = [...part.provides, ...part.requires];
  const missing = [
    ...inside.filter((file) => !existsSync(join(partsRoot, part.path, file))),
    ...outside.filter((file) => !roots.some((root) => existsSync(join(root, file)))),
    ...part.conformance.filter((file) => roots.every((root) => resolveConformance(part, file, root) === undefined)),
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
