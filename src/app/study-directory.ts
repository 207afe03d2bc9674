/** Where a study keeps its things: one directory that can be copied, archived or deleted as a whole. */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { translateSystemError } from "../kit/env/system-error.ts";

export interface StudyDirectory {
  readonly root: string;
  /** The assembled product. */
  readonly product: string;
  readonly journal: string;
  readonly report: string;
  readonly summary: string;
  /** Checkpoints and running servers' data; may be deleted when no study runs. */
  readonly work: string;
}

/** Creates the directories. `product` where the product lies elsewhere. Errors: READ_ONLY, PERMISSION, DISK_FULL. */
export function openStudyDirectory(root: string, product?: string): StudyDirectory {
  const absolute = resolve(root);
  const work = join(absolute, "work");
  try {
    mkdirSync(work, { recursive: true });
    mkdirSync(join(absolute, "study"), { recursive: true });
  } catch (error) {
    throw translateSystemError(error, "create", work);
  }
  return {
    root: absolute,
    product: product === undefined ? join(absolute, "product") : resolve(product),
    journal: join(absolute, "study", "journal.ndjson"),
    report: join(absolute, "report.html"),
    summary: join(absolute, "summary.json"),
    work,
  };
}
