/** `lathe model draw`. */
import type { Command } from "commander";
import { drawModel } from "../../../app/draw-model.ts";
import { modelPicture, writeResult } from "../../../app/replace-file.ts";
import { LatheError } from "../../../kit/errors.ts";
import { runAction, withFrame } from "../../command-frame.ts";
import { forceHelp } from "../../knob-arguments.ts";
import { modelOption } from "./queries.ts";

interface DrawOptions {
  readonly around?: boolean;
  readonly depth?: string;
  readonly from?: string;
  readonly with?: string[];
  readonly without?: string[];
  readonly model?: string;
  readonly out: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

export function registerDraw(model: Command): void {
  const command = model
    .command("draw")
    .description("draw a module, a selection or the neighbourhood of a feature, in FODA notation as SVG")
    .argument("[path]", "the top of the tree; the whole model where it is left out")
    .option("--around", "the neighbourhood of the path: what it needs, what needs it, what it excludes, with reasons")
    .option("--depth <n>", "levels to draw; the rest is folded into counts")
    .option("--from <name>", "draw what an archetype or selection of the catalog chooses")
    .option("--with <paths...>", "draw what these choose, completed")
    .option("--without <paths...>", "features to leave out")
    .option("--out <file>", "the file to write", "model.svg")
    .option("--force", forceHelp)
    .option(...modelOption);
  withFrame(command, {
    examples: [
      "lathe model draw storage --out storage.svg",
      "lathe model draw --from tpcc --out tpcc.svg",
      "lathe model draw --around storage/storage_model/row/kvlsm --out kvlsm.svg",
    ],
    exitCodes: [5, 6, 7, 10, 11],
  }).action((path: string | undefined, options: DrawOptions) =>
    runAction(options.json, () => {
      const { around, from, without, out } = options;
      const chosen = options.with ?? [];
      const picking = from !== undefined || chosen.length > 0 || without !== undefined;
      const picks = picking ? { with: chosen, without: without ?? [], from } : undefined;
      const svg = drawModel(options.model, { path, around: around ?? false, depth: depthOf(options.depth), picks });
      writeResult(out, svg, modelPicture, options.force ?? false);
      return { json: { out, bytes: svg.length }, text: `wrote ${out}` };
    }));
}

function depthOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d?$/.test(text)) return Number(text);
  throw new LatheError("INVALID_ARGUMENT", `--depth ${text}: expected a number from 1 to 99`);
}
