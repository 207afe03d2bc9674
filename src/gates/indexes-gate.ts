/**
 * Indexes gate: what is read by a secondary index is what the rows say, always; and a key is there once.
 *
 * The scenario (`indexes-scenario.ts`) runs on a thread (`gate-thread.ts`).
 * Steps:
 *   1. Open the product on a simulated disk; make a table with two indexes; insert, update and delete at random.
 *   2. After each statement compare a read by an index (equality, page, prefix of two columns) with a model.
 *   3. Close and open: the first INSERT then, with a key that is there, must be refused and leave nothing. Power is
 *      lost at I/O calls of the run: afterwards every value of the indexes gives exactly the rows that have it.
 * A product without the leaf is admitted as having nothing to look at.
 * Source: the bulk loads that trust a flag to say that a table is empty; InnoDB's CHECK TABLE on secondary indexes.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Gate, GateSubject, GateVerdict } from "./gate.ts";
import { examineOnThread } from "./gate-thread.ts";
import type { IndexesTask } from "./indexes-scenario.ts";
import { verdictOf } from "./run-gates.ts";

const name = "indexes";

export function indexesGate(options: { statements: number; losses: number }): Gate {
  return {
    name,
    description:
      `${options.statements} statements on a table with two secondary indexes, restarts and ${options.losses} losses ` +
      "of power: reads by index equal the rows, duplicates are refused",
    stage: "product",
    timeoutMs: 120_000 + options.statements * 50 + options.losses * 1000,
    run: (subject) => runIndexes(options, subject),
  };
}

async function runIndexes(
  options: { statements: number; losses: number },
  subject: GateSubject,
): Promise<GateVerdict> {
  const startedAt = performance.now();
  // Every product carries the port; only some carry a part behind it.
  const { parts } = JSON.parse(readFileSync(join(subject.productDirectory, "selection.json"), "utf8")) as {
    parts: readonly { readonly path: string }[];
  };
  if (!parts.some(({ path }) => path.startsWith("indexing/"))) {
    const { admit } = verdictOf(name, startedAt);
    return admit("the product has no secondary indexes: nothing to look at", { looked: false });
  }
  return examineOnThread<IndexesTask>(name, options, subject);
}
