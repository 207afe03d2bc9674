/**
 * Use case: a study over a product that is there, with every choice in the caller's hand.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { requireProduct } from "../foundry/standing-product.ts";
import { loadKnobCatalog } from "../knobs/catalog.ts";
import { type Budget, conductStudy, type RunResult } from "./conduct-study.ts";
import { loadDrivenContract } from "./contract.ts";
import { productKnobs } from "./product-knobs.ts";
import { openStudyDirectory } from "./study-directory.ts";
import type { UseCaseContext } from "./use-case.ts";

export interface EvolveRequest {
  readonly productDirectory: string;
  /** Undefined: the next number below `.lathe/studies` of the product. An existing study is resumed. */
  readonly studyDirectory: string | undefined;
  readonly budget: Budget;
  readonly policy: "greedy" | "random";
  readonly seed: number;
  /** Names of knobs that may vary; empty: those of the highest impact that there is. */
  readonly knobs: readonly string[];
  /** Chance of keeping what is no gain, over the whole study. */
  readonly alpha: number;
}

/** Errors: those of the journal and of the product's files. */
export async function evolveProduct(request: EvolveRequest, context: UseCaseContext): Promise<RunResult> {
  const { productDirectory, budget, policy, seed, alpha, knobs } = request;
  requireProduct(productDirectory);
  const contractFile = join(productDirectory, "contract.yaml");
  const { contract } = loadDrivenContract(contractFile);
  const root = request.studyDirectory ?? nextStudy(join(productDirectory, ".lathe", "studies"));
  context.progress(`study in ${root}`);
  return conductStudy(
    {
      directory: openStudyDirectory(root, contract.storage.durability, productDirectory),
      contractFile,
      contract,
      knobTable: productKnobs(productDirectory, loadKnobCatalog()),
      budget,
      policy,
      seed,
      alpha,
      knobs,
      expert: undefined,
      mariadb: false,
    },
    context,
  );
}

function nextStudy(directory: string): string {
  let names: string[] = [];
  try {
    names = readdirSync(directory);
  } catch {
    // The first study of the product.
  }
  const last = Math.max(0, ...names.map(Number).filter(Number.isInteger));
  return join(directory, String(last + 1).padStart(3, "0"));
}
