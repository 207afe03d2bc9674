/**
 * Use case: the main job, from a contract to a verdict: build → gates → calibrate → baseline → search →
 * confirm → re-measure → report.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { constructProduct, type VerifyMode } from "../foundry/construct/construct-product.ts";
import { bringBackProduct } from "../foundry/product-directory.ts";
import { LatheError } from "../kit/errors.ts";
import { loadKnobCatalog } from "../knobs/catalog.ts";
import type { ExpertConfiguration } from "../study/settings.ts";
import { layerLine, verifiedSentence } from "./build.ts";
import { type Budget, conductStudy, type RunResult, type StudyOverrides } from "./conduct-study.ts";
import { loadDrivenContract } from "./contract.ts";
import { productKnobs } from "./product-knobs.ts";
import { openStudyDirectory } from "./study-directory.ts";
import type { UseCaseContext } from "./use-case.ts";

export type { Budget, RunResult };

export interface RunRequest {
  readonly contractFile: string;
  /** Where product, journal and report go; a study that is there is resumed. */
  readonly directory: string;
  readonly budget: Budget;
  readonly policy: "greedy" | "random";
  readonly seed: number;
  readonly force: boolean;
  /** Which suites are run while the product is built. */
  readonly verify: VerifyMode;
  /** Edges or records instead of the contract's. */
  readonly scale: number | undefined;
  /** How long each side of a launch serves before it is measured, instead of the default of `bench/launch.ts`. */
  readonly warmUpMs?: number | undefined;
  readonly mariadb: boolean;
  readonly overrides?: StudyOverrides | undefined;
}

/** Chance that a study keeps anything that is no gain. */
const alphaDefault = 0.05;

/** Errors: those of `loadDrivenContract`, of build and of the journal. A study without gain is no error. */
export async function runContract(request: RunRequest, context: UseCaseContext): Promise<RunResult> {
  const loaded = loadDrivenContract(request.contractFile);
  const { scale } = request;
  const workload = scale === undefined ? loaded.contract.workload : { ...loaded.contract.workload, scale };
  const contract = { ...loaded.contract, workload };
  const directory = openStudyDirectory(request.directory, contract.storage.durability);
  const knobCatalog = loadKnobCatalog();
  bringBackProduct(directory.product);
  // A study that is there belongs to the product that is there.
  if (!existsSync(directory.journal) || !existsSync(directory.product)) {
    const input = { contract: loaded.contract, contractText: loaded.text, knobCatalog, force: request.force };
    const built = await constructProduct(input, directory.product, {
      verify: request.verify,
      signal: context.signal,
      onLayer: (layer, of) => context.progress(layerLine(layer, of)),
      onWait: context.progress,
    });
    const size = `${built.parts} parts, ${built.files} files, ${Math.round(built.bytes / 1024)} KiB`;
    context.progress(`built ${built.product}: ${size}, in ${directory.product}; ${verifiedSentence(built)}`);
  }
  return conductStudy(
    {
      directory,
      contractFile: request.contractFile,
      contract,
      knobTable: productKnobs(directory.product, knobCatalog),
      budget: request.budget,
      policy: request.policy,
      warmUpMs: request.warmUpMs,
      seed: request.seed,
      alpha: alphaDefault,
      knobs: [],
      expert: readExpert(join(dirname(request.contractFile), "expert.yaml")),
      mariadb: request.mariadb,
      overrides: request.overrides,
    },
    context,
  );
}

const expertSchema = z.strictObject({
  source: z.string(),
  knobs: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
});

/** What an expert would have set, documented beside the contract. Errors: INVALID_ARGUMENT. */
function readExpert(path: string): ExpertConfiguration | undefined {
  if (!existsSync(path)) return undefined;
  const parsed = expertSchema.safeParse(parse(readFileSync(path, "utf8")));
  if (parsed.success) return parsed.data;
  throw new LatheError("INVALID_ARGUMENT", `${path}: ${z.prettifyError(parsed.error)}`);
}
