/** `lathe model complete`, `explain`, `conflict`. */
import type { Command } from "commander";
import {
  complete, type CompletionResult, conflict, type Conflict, explain, explanationText, type PickArguments,
} from "../../../app/model.ts";
import { adviceLines } from "../../advice-lines.ts";
import { runAction, withFrame } from "../../command-frame.ts";
import { modelOption } from "./queries.ts";

interface PickOptions {
  readonly with?: string[];
  readonly without?: string[];
  readonly from?: string;
  readonly partial?: boolean;
  readonly model?: string;
  readonly json?: boolean;
}

export function registerPicks(model: Command): void {
  const completing = withPicks(
    model
      .command("complete")
      .description("complete a choice to a valid selection, each addition with its reason, and say what is unwise")
      .argument("[paths...]", "features to select"),
  ).option("--partial", "decide nothing: only tell what the choice forces, and what is open");
  withFrame(completing, {
    examples: [
      "lathe model complete storage/storage_model/row/kvlsm/blackboard parser/syntax/dml/siud",
      "lathe model complete --from tpcc --without query_processing/sort/top_n",
      "lathe model complete core/wal --partial --json",
    ],
    exitCodes: [7, 10],
  }).action((paths: string[], options: PickOptions) =>
    runAction(options.json, () => {
      const found = complete(options.model, picked(paths, options), options.partial ?? false);
      return { json: found, text: completionText(found), exitCode: found.outcome === "conflict" ? 10 : 0 };
    }));
  const explaining = withPicks(
    model
      .command("explain")
      .description("why a feature is in or out under a choice, as a chain of edges with their origin")
      .argument("<path>", "the feature in question"),
  ).option("--with <paths...>", "features to select");
  withFrame(explaining, {
    examples: [
      "lathe model explain storage/storage_model/row/heap --with concurrency/strategy/mvcc/undo_chain",
      "lathe model explain core/wal --from blackboard_kv",
    ],
    exitCodes: [7],
  }).action((path: string, options: PickOptions) =>
    runAction(options.json, () => {
      const why = explain(options.model, path, picked(options.with ?? [], options));
      const states = {
        selected: `${path} is selected`,
        out: `${path} is out`,
        open: `${path} is open: nothing in this choice forces it in or out`,
        conflict: "this choice contradicts itself",
      };
      const chain = why.explanation === undefined ? [] : [explanationText(why.explanation)];
      return { json: why, text: [states[why.state], ...chain].join("\n") };
    }));
  const conflicting = withPicks(
    model
      .command("conflict")
      .description("a minimal set of picks that cannot hold together, why, and what to drop")
      .argument("[paths...]", "features to select"),
  );
  withFrame(conflicting, {
    examples: [
      "lathe model conflict storage/storage_model/row/heap storage/storage_model/col/mergetree core/wal",
      "lathe model conflict --from tpcc --without core/wal",
    ],
    exitCodes: [7, 10],
  }).action((paths: string[], options: PickOptions) =>
    runAction(options.json, () => {
      const found = conflict(options.model, picked(paths, options));
      const text = found === undefined ? "these can hold together" : conflictText(found);
      return { json: { conflict: found ?? null }, text, exitCode: found === undefined ? 0 : 10 };
    }));
}

export function withPicks(command: Command): Command {
  return command
    .option("--without <paths...>", "features to leave out")
    .option("--from <name>", "start from an archetype or selection of the catalog, as htap, tpcc")
    .option(...modelOption);
}

function picked(paths: readonly string[], { without, from }: PickOptions): PickArguments {
  return { with: paths, without: without ?? [], from };
}

function completionText(found: CompletionResult): string {
  if (found.outcome === "conflict") return conflictText(found.conflict);
  if (found.outcome === "partial") {
    const { forced, open } = found.partial;
    const decided = forced.filter(({ picks }) => picks.length > 0);
    return [
      ...decided.map(({ because }) => because),
      `${decided.length} features follow from the choice, ${forced.length - decided.length} hold in every selection, ` +
        `${open.length} are open`,
    ].join("\n");
  }
  const { completed, advice, dimensions } = found;
  const added = completed.added.filter(({ path }) => completed.leaves.includes(path));
  const realised = dimensions.map(({ dimension, alternatives }) =>
    `${dimension}: ${alternatives.join(", ") || "none"}`);
  return [
    ...completed.leaves,
    `${completed.leaves.length} leaves, of which ${added.length} were added:`,
    ...added.map(({ because }) => `  ${because}`),
    ...adviceLines(advice),
    ...realised,
  ].join("\n");
}

function repairText({ path, selected }: Conflict["picks"][number]): string {
  return selected ? `do not pick ${path}` : `do not leave out ${path}`;
}

function conflictText({ picks, explanation, repairs }: Conflict): string {
  const name = ({ path, selected }: Conflict["picks"][number]) => (selected ? path : `without ${path}`);
  return [
    picks.length === 0
      ? "The model is void: it contradicts itself before anything is picked."
      : `These cannot hold together: ${picks.map(name).join(", ")}`,
    explanationText(explanation),
    ...repairs.map((dropped, at) => `${at === 0 ? "Way out" : "or     "}: ${dropped.map(repairText).join(" and ")}`),
  ].join("\n");
}
