/** The product that the real bars are measured on, and how long their launches are. */
import { join } from "node:path";
import { buildProduct } from "../src/foundry/build.ts";
import { loadServedContract } from "../src/app/contract.ts";
import { latheVersion } from "../src/app/open-study.ts";
import { productHash } from "../src/app/product-hash.ts";
import type { LaunchSize } from "../src/app/product-evaluator.ts";
import { productKnobs } from "../src/app/product-knobs.ts";
import type { Contract, WorkloadSpec } from "../src/contract/contract.ts";
import { isInMemory } from "../src/fleet/work-directory.ts";
import { collectEnvironment, commitOf } from "../src/journal/environment.ts";
import type { StudyHeader } from "../src/journal/entry.ts";
import { loadKnobCatalog } from "../src/knobs/catalog.ts";
import type { Knob } from "../src/knobs/knob.ts";
import type { Space } from "../src/search/proposer.ts";
import { createStudyHeader, defaultSettings, type StudySettings } from "../src/study/settings.ts";
import { root } from "./repository.ts";

/**
 * Shorter than a study's, so that a hundred take a quarter of an hour. Many short blocks: what slows a shared
 * machine down for some tenths of a second then falls on both sides. A/A launches differed by 2 % (root mean
 * square) with 32 pairs of 50 ms, by 5 % with 16 pairs of 100 ms, which take as long.
 */
export const shortLaunch: LaunchSize = { blockPairs: 32, blockMs: 50, warmUpMs: 1500 };

export interface Subject {
  readonly productDirectory: string;
  readonly productHash: string;
  readonly contract: Contract;
  readonly workload: WorkloadSpec;
  readonly knobTable: readonly Knob[];
}

/** Builds the product of TAOBench O. */
export function buildSubject(
  productDirectory: string,
  scale: number,
  progress: (line: string) => void,
): Subject {
  const { contract, text } = loadServedContract(join(root, "examples", "taobench-o", "contract.yaml"));
  const knobCatalog = loadKnobCatalog();
  const built = buildProduct({ contract, contractText: text, knobCatalog }, productDirectory);
  if (isInMemory(productDirectory)) throw new Error(`${productDirectory} is in memory; work on a disk`);
  progress(`built ${built.product} in ${productDirectory}`);
  const workload = { ...contract.workload, scale };
  return {
    productDirectory,
    productHash: productHash(productDirectory),
    contract: { ...contract, workload },
    workload,
    knobTable: productKnobs(productDirectory, knobCatalog),
  };
}

/** The first entry of a journal about it. */
export function headerOf(
  subject: Subject,
  space: Space,
  seed: number,
  settings: Partial<StudySettings> & { readonly budgetSeconds?: number },
): StudyHeader {
  const { contract, productDirectory } = subject;
  const { p99RatioMax, memoryRatioMax, memoryMiBMax } = contract.targets;
  const { budgetSeconds = 3600, ...others } = settings;
  return createStudyHeader(
    {
      seed,
      alpha: 0.05,
      proposer: "greedy",
      budgetSeconds,
      space,
      settings: { ...defaultSettings, targets: { p99RatioMax, memoryRatioMax, memoryMiBMax }, ...others },
    },
    {
      contract,
      product: { name: contract.name, hash: subject.productHash },
      versions: { lathe: latheVersion(), node: process.versions.node },
      environment: collectEnvironment(productDirectory),
      commit: commitOf(import.meta.dirname),
    },
  );
}
