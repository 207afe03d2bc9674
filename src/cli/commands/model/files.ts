/** `lathe model import`, `export`. */
import { writeFileSync } from "node:fs";
import type { Command } from "commander";
import { exportFormats, type ExportFormat, renderModel } from "../../../app/model-file.ts";
import { openModel } from "../../../app/model.ts";
import { LatheError } from "../../../kit/errors.ts";
import { runAction, withFrame } from "../../command-frame.ts";
import { modelOption } from "./queries.ts";

interface FileOptions {
  readonly model?: string;
  readonly format?: string;
  readonly out?: string;
  readonly json?: boolean;
}

export function registerModelFiles(model: Command): void {
  const exporting = model
    .command("export")
    .description("write the model as UVL, JSON or DIMACS")
    .option("--format <name>", `${exportFormats.join(", ")}; else by the ending of the file`)
    .option("--out <file>", "write there; to stdout where it is left out")
    .option(...modelOption);
  withFrame(exporting, {
    examples: ["lathe model export --out model.uvl", "lathe model export --format dimacs --out model.cnf"],
    exitCodes: [5, 6, 7],
  }).action((options: FileOptions) => runAction(options.json, () => convert(options.model, options)));
  const importing = model
    .command("import")
    .description("read a model of UVL, JSON or FeatureIDE XML, check that it is whole, and write it in another format")
    .argument("<file>", "a .uvl, .json or .xml file")
    .option("--format <name>", `${exportFormats.join(", ")}; else by the ending of the file`)
    .option("--out <file>", "write there; to stdout where it is left out");
  withFrame(importing, { examples: ["lathe model import other.xml --out other.uvl"], exitCodes: [5, 6, 7] })
    .action((file: string, options: FileOptions) => runAction(options.json, () => convert(file, options)));
}

function convert(source: string | undefined, { format, out }: FileOptions) {
  const model = openModel(source);
  const text = renderModel(model, formatOf(format, out));
  const facts = { name: model.name, features: model.features.length, edges: model.edges.length, bytes: text.length };
  if (out === undefined) return { json: { ...facts, text }, text };
  writeFileSync(out, text);
  return { json: { ...facts, out }, text: `wrote ${facts.features} features and ${facts.edges} edges to ${out}` };
}

function formatOf(format: string | undefined, out: string | undefined): ExportFormat {
  const ending = out?.slice(out.lastIndexOf(".") + 1) ?? "uvl";
  const wanted = format ?? (ending === "cnf" ? "dimacs" : ending);
  const found = exportFormats.find((one) => one === wanted);
  if (found !== undefined) return found;
  throw new LatheError("INVALID_ARGUMENT", `${wanted} is not a format; give --format ${exportFormats.join(", ")}`);
}
