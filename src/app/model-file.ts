/** Reads and writes models as files; the ending says the format. */
import { basename } from "node:path";
import { LatheError } from "../kit/errors.ts";
import { readTextFile } from "../kit/text-file.ts";
import type { FeatureModel } from "../model/feature-model.ts";
import { readFeatureIde } from "../model/formats/feature-ide.ts";
import { readModelJson, writeModelJson } from "../model/formats/model-json.ts";
import { writeDimacs } from "../model/formats/dimacs.ts";
import { readDimacs } from "../model/formats/dimacs-reader.ts";
import { readUvl } from "../model/formats/uvl-reader.ts";
import { writeUvl } from "../model/formats/uvl-writer.ts";

const bytesMax = 64 << 20;

export const exportFormats = ["uvl", "json", "dimacs"] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** Errors: those of `readTextFile`, INVALID_ARGUMENT with file, line and column. */
export function readModelFile(file: string): FeatureModel {
  const ending = file.slice(file.lastIndexOf(".") + 1).toLowerCase();
  const readers = { uvl: readUvl, json: readModelJson, xml: readFeatureIde, cnf: readDimacs, dimacs: readDimacs };
  const reader = Object.hasOwn(readers, ending) ? readers[ending as keyof typeof readers] : undefined;
  if (reader === undefined) {
    const message = `${file}: a model is a .uvl, .json, .xml (FeatureIDE) or .cnf (DIMACS) file`;
    throw new LatheError("INVALID_ARGUMENT", message);
  }
  return reader(readTextFile(file, { bytesMax }), basename(file));
}

export function renderModel(model: FeatureModel, format: ExportFormat): string {
  return { uvl: writeUvl, json: writeModelJson, dimacs: writeDimacs }[format](model);
}
