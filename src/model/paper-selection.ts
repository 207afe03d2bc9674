/**
 * The selection that the SpecDB paper prints for TPC-C, with what it says of the plan (`catalog/selections/tpcc.yaml`).
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { LatheError } from "../kit/errors.ts";
import { suggestion } from "../kit/suggestion.ts";
import { formatProblem, readYaml } from "../knobs/yaml-document.ts";
import { catalogRoot } from "./load-model.ts";

const count = z.int().min(0);

const selectionSchema = z.strictObject({
  name: z.string(),
  title: z.string(),
  /** Figures as printed. */
  paper: z.strictObject({
    leaves: count,
    cooperate_edges: count,
    contracts: count,
    leaves_outside_contracts: count,
    merged_nodes: count,
    layers: count,
  }),
  leaves: z.array(z.strictObject({ path: z.string(), layer: count })),
  contracts: z.array(
    z.strictObject({
      name: z.string(),
      layer: count,
      source: z.enum(["paper", "inferred"]),
      /** Members are built in their own layers, and the contract wires them. */
      split: z.boolean(),
      members: z.array(z.string()),
    }),
  ),
  cooperate: z.array(z.strictObject({ from: z.string(), to: z.string(), source: z.string() })),
  /** Coarse units: an edge inside a wave makes no new layer. */
  waves: z.array(z.strictObject({ layer: count, prefixes: z.array(z.string()) })),
  /** As printed, contracts included. */
  layers: z.array(
    z.strictObject({ layer: count, nodes: z.array(z.string()), terminal: z.array(z.string()).optional() }),
  ),
  rules: z.array(z.string()),
});

export type PaperSelection = Readonly<z.output<typeof selectionSchema>>;

export const selectionDirectory = join(catalogRoot, "selections");

export function paperSelectionNames(directory: string = selectionDirectory): string[] {
  const files = readdirSync(directory).filter((file) => file.endsWith(".yaml"));
  return files.map((file) => file.slice(0, -".yaml".length)).sort();
}

/** Errors: NOT_FOUND for a name that is not there, INVALID_ARGUMENT with every problem of the file. */
export function loadPaperSelection(name: string, directory: string = selectionDirectory): PaperSelection {
  const file = join(directory, `${name}.yaml`);
  if (!/^[a-z0-9_-]+$/.test(name) || !existsSync(file)) {
    const names = paperSelectionNames(directory);
    const message = `there is no selection named ${name}${suggestion(name, names)}`;
    throw new LatheError("NOT_FOUND", message, { details: { names } });
  }
  const read = readYaml(readFileSync(file, "utf8"), `${name}.yaml`, selectionSchema);
  if (read.ok) return read.value;
  throw new LatheError("INVALID_ARGUMENT", read.problems.map(formatProblem).join("\n"));
}
