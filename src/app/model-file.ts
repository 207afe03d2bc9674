/** Reads and writes models as files; the ending says the format. */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { translateSystemError } from "../kit/env/system-error.ts";
import { LatheError } from "../kit/errors.ts";
import type { FeatureModel } from "../model/feature-model.ts";
import { readFeatureIde } from "../model/formats/feature-ide.ts";
import { readModelJson, writeModelJson } from "../model/formats/model-json.ts";
import { writeDimacs } from "../model/formats/dimacs.ts";
import { readUvl } from "../model/formats/uvl-reader.ts";
import { writeUvl } from "../model/formats/uvl-writer.ts";

const bytesMax = 64 << 20;

export const exportFormats = ["uvl", "json", "dimacs"] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** Errors: NOT_FOUND, INVALID_ARGUMENT with file, line and column, LIMIT_EXCEEDED. */
export function readModelFile(file: string): FeatureModel {
  const ending = file.slice(file.lastIndexOf(".") + 1).toLowerCase();
  const readers = { uvl: readUvl, json: readModelJson, xml: readFeatureIde };
  const reader = Object.hasOwn(readers, ending) ? readers[ending as keyof typeof readers] : undefined;
  if (reader === undefined) {
    const message = `${file}: a model is a .uvl, .json or .xml (FeatureIDE) file`;
    throw new LatheError("INVALID_ARGUMENT", message);
  }
  return reader(readText(file), basename(file));
}

export function renderModel(model: FeatureModel, format: ExportFormat): string {
  return { uvl: writeUvl, json: writeModelJson, dimacs: writeDimacs }[format](model);
}

function readText(file: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw translateSystemError(error, "read", file);
  }
  if (bytes.length > bytesMax) throw new LatheError("LIMIT_EXCEEDED", `${file} is larger than ${bytesMax} bytes`);
  return bytes.toString("utf8");
}
