/**
 * What can be planned: a named selection, an archetype, a selection's file, or what is selected for a contract.
 *
 * A word that names a file is that file; its content says what it is (`leaves`: a selection; else a contract). Any
 * other word is a name of the catalog.
 */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { DeclaredContract } from "../foundry/plan/components.ts";
import { loadWaves } from "../foundry/plan/load-waves.ts";
import type { CooperateGroup } from "../foundry/plan/plan-input.ts";
import type { Wave } from "../foundry/plan/wave.ts";
import { designSpace, noOverrides, selectFor } from "../foundry/select/design-space.ts";
import type { Overrides } from "../foundry/select/select-features.ts";
import { parseSelection, refuseOtherModel } from "../foundry/select/selection-file.ts";
import { LatheError } from "../kit/errors.ts";
import { parseJsonText } from "../kit/json-text.ts";
import { suggestion } from "../kit/suggestion.ts";
import { readTextFile } from "../kit/text-file.ts";
import { formatProblem, readYaml } from "../knobs/yaml-document.ts";
import { completeSelection } from "../model/complete.ts";
import { explanationText } from "../model/explain.ts";
import type { FeatureModel } from "../model/feature-model.ts";
import { loadArchetypes } from "../model/load-archetypes.ts";
import { loadPaperSelection, paperSelectionNames } from "../model/paper-selection.ts";
import { Reasoner } from "../model/reasoner.ts";
import { loadServedContract } from "./contract.ts";

export interface PlanSubject {
  readonly name: string;
  readonly leaves: readonly string[];
  readonly waves: readonly Wave[];
  readonly contracts: readonly DeclaredContract[];
  readonly groups: readonly CooperateGroup[];
}

const text = z.string().min(1);

const selectionSchema = z.looseObject({
  name: text.optional(),
  contract: text.optional(),
  leaves: z.array(z.union([text, z.looseObject({ path: text })])).min(1),
  waves: z.array(z.strictObject({ layer: z.int().min(1), prefixes: z.array(text) })).optional(),
  contracts: z.array(z.looseObject({ name: text, members: z.array(text) })).optional(),
  groups: z.array(z.strictObject({ name: text, members: z.array(text).min(2), invariant: text })).optional(),
});

/** Errors: NOT_FOUND with the nearest names; those of contracts and of selection files. */
export function loadPlanSubject(what: string, model: FeatureModel, overrides = noOverrides): PlanSubject {
  const file = fileOf(what);
  if (file !== undefined) return subjectOfFile(file, overrides);
  if (isOverridden(overrides)) throw onlyContracts(what);
  if (paperSelectionNames().includes(what)) {
    const { leaves, waves, contracts } = loadPaperSelection(what);
    return {
      name: what,
      leaves: leaves.map(({ path }) => path),
      waves: waves.map(({ layer, prefixes }) => ({ number: layer, prefixes })),
      contracts,
      groups: [],
    };
  }
  const archetypes = loadArchetypes(model);
  const archetype = archetypes.find(({ name }) => name === what);
  if (archetype !== undefined) {
    const outcome = completeSelection(new Reasoner(model), { chosen: archetype.picks, excluded: [] });
    if (!outcome.ok) {
      const { explanation } = outcome.conflict;
      throw new LatheError("INVALID_ARGUMENT", `${what} contradicts the model:\n${explanationText(explanation)}`);
    }
    return { ...catalogSubject, name: what, waves: loadWaves(), leaves: outcome.value.leaves };
  }
  const names = [...paperSelectionNames(), ...archetypes.map(({ name }) => name)];
  const known = `selections and archetypes are ${names.join(", ")}; or name a contract.yaml or a selection's file`;
  throw new LatheError("NOT_FOUND", `there is no ${what}${suggestion(what, names)} (${known})`, { details: { names } });
}

const catalogSubject = { contracts: [], groups: [] };

/** A product's directory stands for the selection in it. */
function fileOf(what: string): string | undefined {
  if (!existsSync(what)) return undefined;
  if (!statSync(what).isDirectory()) return what;
  const inside = ["selection.json", "contract.yaml"].map((name) => join(what, name)).find((file) => existsSync(file));
  if (inside !== undefined) return inside;
  throw new LatheError("NOT_FOUND", `${what} holds neither a selection.json nor a contract.yaml`);
}

function isOverridden(overrides: Overrides): boolean {
  return overrides.with.length + overrides.without.length + (overrides.parts ?? []).length > 0;
}

function onlyContracts(what: string): LatheError {
  const message = `${what} is a selection already; --with, --without and --parts are for contracts`;
  return new LatheError("INVALID_ARGUMENT", message);
}

const bytesMax = 16 << 20;

/** Of a selection or a plan. Errors: those of `readTextFile`. */
export function readSubjectText(file: string): string {
  return readTextFile(file, { bytesMax });
}

/** What Lathe wrote is known by its fields, and held to its hash and to the model of today. */
function refuseOddJson(value: unknown, content: string, file: string): void {
  if (typeof value !== "object" || value === null) return;
  if ("contractHash" in value) refuseOtherModel(parseSelection(content, file), designSpace().model, file);
  if (!("layers" in value && "order" in value)) return;
  const message = `${file} is a plan already; lathe plan draw and lathe plan diff read it`;
  throw new LatheError("INVALID_ARGUMENT", message);
}

function subjectOfFile(file: string, overrides: Overrides): PlanSubject {
  const content = readSubjectText(file);
  // As YAML, of which JSON is a part, it would be told of in words of YAML.
  if (file.endsWith(".json")) refuseOddJson(parseJsonText(content, file), content, file);
  const outline = readYaml(content, file, z.looseObject({}));
  if (!outline.ok || !("leaves" in outline.value)) return subjectOfContract(file, overrides);
  if (isOverridden(overrides)) throw onlyContracts(file);
  const read = readYaml(content, file, selectionSchema);
  if (!read.ok) {
    const { problems } = read;
    throw new LatheError("INVALID_ARGUMENT", problems.map(formatProblem).join("\n"), { details: { problems } });
  }
  const { name, contract, leaves, waves, contracts, groups } = read.value;
  return {
    name: name ?? contract ?? file,
    leaves: leaves.map((leaf) => (typeof leaf === "string" ? leaf : leaf.path)),
    waves: waves?.map(({ layer, prefixes }) => ({ number: layer, prefixes })) ?? loadWaves(),
    contracts: contracts ?? [],
    groups: groups ?? [],
  };
}

function subjectOfContract(file: string, overrides: Overrides): PlanSubject {
  const { contract } = loadServedContract(file);
  const { leaves } = selectFor(contract, overrides, designSpace(overrides.parts));
  return { ...catalogSubject, name: contract.name, waves: loadWaves(), leaves };
}
