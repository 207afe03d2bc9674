/**
 * A selection that was written to a file and is to be built: read, and held against contract and model of today.
 *
 * It must be whole (its hash fits its leaves), be made for this contract, with this version of the model, have what the
 * contract depends on, and still be one that the model allows. A selection of another version is refused with what has
 * changed since: leaves that are gone, and what the same overrides would select now. One that was drawn for a contract
 * (`lathe model sample`) is held to the same.
 */
import { existsSync } from "node:fs";
import { z } from "zod";
import { canonicalHash } from "../../contract/canonical-json.ts";
import type { Contract } from "../../contract/contract.ts";
import { LatheError } from "../../kit/errors.ts";
import { parseJsonText } from "../../kit/json-text.ts";
import { readTextFile } from "../../kit/text-file.ts";
import type { FeatureModel } from "../../model/feature-model.ts";
import { violationsOf } from "../../model/violations.ts";
import { statementText } from "../../model/sentence.ts";
import { refuseUnmet } from "./demands.ts";
import type { DesignSpace } from "./design-space.ts";
import type { FeatureSelection } from "./feature-selection.ts";
import { modelVersion } from "./model-version.ts";
import { selectFeatures } from "./select-features.ts";

const paths = z.array(z.string());
const reasoned = z.looseObject({ path: z.string(), because: z.string() });

const versionNow = 1;
const advice = "write one with lathe select CONTRACT --out FILE";

const shape = z.looseObject({
  version: z.literal(versionNow),
  contract: z.string(),
  contractHash: z.string(),
  model: z.string(),
  overrides: z.strictObject({ with: paths, without: paths }),
  draw: z.strictObject({
    kind: z.enum(["solver", "uniform", "pairwise"]), seed: z.int(), number: z.int().min(1), count: z.int().min(1),
  }).optional(),
  leaves: paths.min(1),
  decisions: z.array(reasoned),
  leftOut: z.array(reasoned),
  excluded: z.array(reasoned),
  archetypes: z.array(z.looseObject({ name: z.string() })),
  withoutPart: paths,
  hash: z.string(),
});

/** As `lathe model sample --out` writes one without a contract. */
const bareSample = z.strictObject({ name: z.string(), kind: z.string(), seed: z.int(), leaves: paths });

const bytesMax = 16 << 20;

/** Errors: those of `readTextFile` and `parseSelection`. */
export function loadSelection(file: string): FeatureSelection {
  if (!existsSync(file)) throw new LatheError("NOT_FOUND", `there is no selection ${file}`);
  const directory = "it is a directory; name the selection.json in it";
  return parseSelection(readTextFile(file, { bytesMax, directory }), file);
}

/** Errors: FORMAT_UNKNOWN where it is no selection of this version, CORRUPTION where its hash does not fit. */
export function parseSelection(text: string, file: string): FeatureSelection {
  const value = parseJsonText(text, file, advice);
  const version = (value as { version?: unknown } | null)?.version;
  if (typeof version === "number" && version > versionNow) {
    const message = `${file} is of version ${version}, and this Lathe knows ${versionNow}; build it with the newer ` +
      `one, or ${advice}`;
    throw new LatheError("FORMAT_UNKNOWN", message, { details: { version } });
  }
  const read = shape.safeParse(value);
  if (!read.success) {
    if (bareSample.safeParse(value).success) {
      const advice = "draw it for the contract: lathe model sample --contract CONTRACT --out DIR";
      throw new LatheError("FORMAT_UNKNOWN", `${file} was drawn from the model for no contract; ${advice}`);
    }
    const [{ path, message }] = read.error.issues;
    const where = path.length === 0 ? "" : `${path.join(".")}: `;
    throw new LatheError("FORMAT_UNKNOWN", `${file} is no selection (${where}${message}); ${advice}`);
  }
  // As it was written: the schema would put its fields in another order.
  const selection = value as FeatureSelection;
  const decided = selection.decisions.map(({ path }) => path);
  if (canonicalHash({ leaves: selection.leaves }) === selection.hash && `${decided}` === `${selection.leaves}`) {
    return selection;
  }
  const message = `${file} was changed after it was written (its hash does not fit its leaves); make it anew with ` +
    "lathe select CONTRACT --with PATH --without PATH --out FILE";
  throw new LatheError("CORRUPTION", message);
}

/** Errors: INVALID_ARGUMENT, with `details.gone`, `details.added` and `details.dropped` for another version. */
export function checkSelection(
  selection: FeatureSelection, contract: Contract, space: DesignSpace, file: string,
): void {
  const { model } = space;
  if (selection.contractHash !== canonicalHash(contract)) {
    const other = selection.contract === contract.name ? "another version of it" : selection.contract;
    const message = `${file} was not made for this ${contract.name} but for ${other}; ${again(selection, file)}`;
    throw new LatheError("INVALID_ARGUMENT", message);
  }
  if (selection.model !== modelVersion(model)) throw otherVersion(selection, contract, space, file);
  const selected = withEmptyGroups(selection.leaves, space);
  const [first] = violationsOf(model, selected);
  if (first !== undefined) {
    throw new LatheError("INVALID_ARGUMENT", `${file} is no selection that the model allows: ${statementText(first)}`);
  }
  refuseUnmet(selected, contract, space.rules, file);
}

/** For uses without the contract at hand. Errors: INVALID_ARGUMENT, with the leaves that are gone. */
export function refuseOtherModel(selection: FeatureSelection, model: FeatureModel, file: string): void {
  if (selection.model === modelVersion(model)) return;
  const gone = goneFrom(model, selection);
  const told = gone.length === 0 ? "" : `\n${gone.map((leaf) => `  gone from the model: ${leaf}`).join("\n")}\n`;
  const message = `${file} was made with another version of the feature model${told === "" ? "; " : `:${told}`}` +
    again(selection, file);
  throw new LatheError("INVALID_ARGUMENT", message, { details: { gone } });
}

function goneFrom(model: FeatureModel, { leaves }: FeatureSelection): string[] {
  return leaves.filter((leaf) => model.find(leaf)?.kind !== "leaf");
}

/** Leaves with what is above them; a mandatory group of options only may be there without any leaf. */
function withEmptyGroups(leaves: readonly string[], { model }: DesignSpace): Set<string> {
  const selected = new Set(model.withAncestors(leaves));
  for (const { path, parent, relation, kind } of model.features) {
    const mayBeEmpty = kind === "group" && model.groupsBelow(path).every(({ min }) => min === 0);
    if (relation === "mandatory" && mayBeEmpty && parent !== undefined && selected.has(parent)) selected.add(path);
  }
  return selected;
}

function otherVersion(
  selection: FeatureSelection, contract: Contract, space: DesignSpace, file: string,
): LatheError {
  const { model } = space;
  const gone = goneFrom(model, selection);
  const known = (path: string) => model.has(path);
  const { overrides } = selection;
  const still = { with: overrides.with.filter(known), without: overrides.without.filter(known) };
  const now = selectFeatures({ ...space, contract, overrides: still }).leaves;
  const added = now.filter((leaf) => !selection.leaves.includes(leaf));
  const dropped = selection.leaves.filter((leaf) => known(leaf) && !now.includes(leaf));
  const lines = [
    ...gone.map((leaf) => `  gone from the model: ${leaf}`),
    ...added.map((leaf) => `  new: ${leaf}`),
    ...dropped.map((leaf) => `  not selected any more: ${leaf}`),
  ];
  const change = lines.length === 0 ? "its leaves would be the same" : `what would change:\n${lines.join("\n")}\n`;
  const message = `${file} was made with another version of the feature model; ${change}` +
    `${lines.length === 0 ? "; " : ""}${again(selection, file)}`;
  return new LatheError("INVALID_ARGUMENT", message, { details: { gone, added, dropped } });
}

/** The command that makes it anew. */
function again({ overrides, draw }: FeatureSelection, file: string): string {
  const { with: wanted, without } = overrides;
  if (draw === undefined) {
    const flags = [...wanted.map((path) => ` --with ${path}`), ...without.map((path) => ` --without ${path}`)].join("");
    return `select again: lathe select CONTRACT${flags} --out ${file}`;
  }
  const listed = (flag: string, paths: readonly string[]) => (paths.length === 0 ? "" : ` ${flag} ${paths.join(" ")}`);
  const kind = draw.kind === "solver" ? "" : ` --${draw.kind}`;
  return `draw again: lathe model sample --contract CONTRACT${kind} --seed ${draw.seed} --count ${draw.count}` +
    `${listed("--with", wanted)}${listed("--without", without)} --out DIR`;
}
