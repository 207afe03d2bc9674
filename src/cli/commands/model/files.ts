/** `lathe model import`, `export`, `diff`. */
import { extname } from "node:path";
import type { Command } from "commander";
import { exportFormats, type ExportFormat, renderModel } from "../../../app/model-file.ts";
import { differenceOf, type ModelDifference, openModel } from "../../../app/model.ts";
import { modelFile, writeResult } from "../../../app/replace-file.ts";
import { LatheError } from "../../../kit/errors.ts";
import { runAction, withFrame } from "../../command-frame.ts";
import { forceHelp } from "../../knob-arguments.ts";
import { modelOption } from "./queries.ts";

interface FileOptions {
  readonly model?: string;
  readonly format?: string;
  readonly out?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

export function registerModelFiles(model: Command): void {
  registerDiff(model);
  const exporting = model
    .command("export")
    .description("write the model as UVL, JSON or DIMACS")
    .option("--format <name>", `${exportFormats.join(", ")}; else by the ending of the file`)
    .option("--out <file>", "write there; to stdout where it is left out")
    .option("--force", forceHelp)
    .option(...modelOption);
  withFrame(exporting, {
    examples: ["lathe model export --out model.uvl", "lathe model export --format dimacs --out model.cnf"],
    exitCodes: [5, 6, 7, 11],
  }).action((options: FileOptions) => runAction(options.json, () => convert(options.model, options)));
  const importing = model
    .command("import")
    .description(
      "read a model of UVL, JSON, FeatureIDE XML or DIMACS, check that it is whole, and write it in another format",
    )
    .argument("<file>", "a .uvl, .json, .xml or .cnf file")
    .option("--format <name>", `${exportFormats.join(", ")}; else by the ending of the file`)
    .option("--out <file>", "write there; to stdout where it is left out")
    .option("--force", forceHelp);
  withFrame(importing, { examples: ["lathe model import other.xml --out other.uvl"], exitCodes: [5, 6, 7, 11] })
    .action((file: string, options: FileOptions) => runAction(options.json, () => convert(file, options)));
}

function registerDiff(model: Command): void {
  const command = model
    .command("diff")
    .description("what an edit of the model changes: features, edges, and whether it widens or narrows the choice")
    .argument("<before>", "a model's file")
    .argument("[after]", "a model's file; the catalog's model where it is left out");
  const examples = ["lathe model diff old.uvl", "lathe model diff old.uvl new.json --json"];
  withFrame(command, { examples, exitCodes: [7] })
    .action((before: string, after: string | undefined, options: { json?: boolean }) =>
      runAction(options.json, () => {
        const found = differenceOf(before, after);
        return { json: found, text: differenceText(found) };
      }));
}

function differenceText({ kind, added, removed, moved, edgesAdded, edgesRemoved, ...only }: ModelDifference): string {
  const { conditionsAdded, conditionsRemoved, changed, same } = only;
  if (same) return "both are the same model";
  const kinds = {
    refactoring: "refactoring: both allow the same configurations",
    specialisation: "specialisation: it allows fewer configurations than before",
    generalisation: "generalisation: it allows more configurations than before",
    arbitrary: "arbitrary: each allows configurations that the other does not",
  };
  const undecided = "not decided: counted groups or deep conditions are in the way";
  const lines = [`kind of edit: ${kind === undefined ? undecided : kinds[kind]}`];
  const edges = { "edge added": edgesAdded, "edge removed": edgesRemoved };
  const conditions = { "condition added": conditionsAdded, "condition removed": conditionsRemoved };
  const lists = { added, removed, moved, ...edges, ...conditions };
  for (const [what, list] of Object.entries(lists)) for (const one of list) lines.push(`${what}: ${one}`);
  for (const { what, fields } of changed) lines.push(`changed: ${what}: ${fields.join(", ")}`);
  if (only.onlyBefore !== undefined) lines.push(`allowed before only: ${only.onlyBefore.join(" ")}`);
  if (only.onlyAfter !== undefined) lines.push(`allowed after only: ${only.onlyAfter.join(" ")}`);
  return lines.join("\n");
}

function convert(source: string | undefined, { format, out, force = false }: FileOptions) {
  const model = openModel(source);
  const text = renderModel(model, formatOf(format, out));
  const facts = { name: model.name, features: model.features.length, edges: model.edges.length, bytes: text.length };
  if (out === undefined) return { json: { ...facts, text }, text };
  writeResult(out, text, modelFile, force);
  return { json: { ...facts, out }, text: `wrote ${facts.features} features and ${facts.edges} edges to ${out}` };
}

function formatOf(format: string | undefined, out: string | undefined): ExportFormat {
  const ending = out === undefined ? "uvl" : extname(out).slice(1);
  const wanted = format ?? (ending === "cnf" ? "dimacs" : ending);
  const found = exportFormats.find((one) => one === wanted);
  if (found !== undefined) return found;
  const what = format === undefined ? `the ending of ${out} tells no format` : `${format} is not a format`;
  throw new LatheError("INVALID_ARGUMENT", `${what}; give --format uvl, json or dimacs`);
}
