/** `lathe contract new|infer|check|explain`. */
import type { Command } from "commander";
import {
  type Answers, checkContract, type ContractCheck, type ContractExplanation,
  explainContractFile, formatProblems, readAnswers,
  writeNewContract,
} from "../../app/contract.ts";
import { askContract } from "../ask-contract.ts";
import { runAction, withFrame } from "../command-frame.ts";
import { registerInfer } from "./contract-infer.ts";

export function registerContract(program: Command): void {
  const contract = program.command("contract").description("write, infer, check and explain workload contracts");
  registerNew(contract);
  registerInfer(contract);
  registerCheck(contract);
  registerExplain(contract);
}

interface NewOptions {
  readonly out: string;
  readonly answers?: string;
  readonly yes?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

function registerNew(contract: Command): void {
  const command = contract
    .command("new")
    .description("write a contract: topic by topic a question with a proposed answer and its reason")
    .option("--out <file>", "file to write", "contract.yaml")
    .option("--yes", "take every proposed answer")
    .option("--answers <file>", "answers as `id: value` lines; proposals for the rest")
    .option("--force", "overwrite the file");
  withFrame(command, {
    examples: [
      "lathe contract new",
      "lathe contract new --yes --out my-store.yaml",
      "lathe contract new --answers answers.yaml --out my-store.yaml --json",
    ],
    exitCodes: [5, 11],
  }).action((options: NewOptions) =>
    runAction(options.json, async () => {
      const given: Answers = options.answers === undefined ? {} : readAnswers(options.answers);
      const attended = !options.yes && options.answers === undefined && !options.json && process.stdin.isTTY;
      const answers = attended ? await askContract() : given;
      const made = writeNewContract(options.out, answers, { force: options.force ?? false });
      const next = `lathe run ${made.file}, or lathe contract explain ${made.file}`;
      const text = `wrote ${made.file} (${made.name})\nnext: ${next}`;
      return { json: { contract: made.file, name: made.name, verdict: made.check.verdict }, text };
    }),
  );
}

function registerCheck(contract: Command): void {
  const command = contract
    .command("check")
    .description("say everything that is wrong with a contract, each with its line")
    .argument("<contract>", "a contract.yaml");
  withFrame(command, {
    examples: ["lathe contract check examples/taobench-o/contract.yaml", "lathe contract check contract.yaml --json"],
    exitCodes: [9],
  }).action((file: string, options: { json?: boolean }) =>
    runAction(options.json, () => {
      const checked = checkContract(file);
      const exitCode = { valid: 0, invalid: 2, unserved: 9 }[checked.verdict];
      const text = [formatProblems(checked.problems), checkSummary(checked), drivenSentence(checked)]
        .filter((line) => line !== "")
        .join("\n");
      return { json: checked, text, exitCode };
    }),
  );
}

function checkSummary({ file, verdict, problems, missingLeaves }: ContractCheck): string {
  if (verdict === "valid") return `${file}: valid`;
  if (verdict === "invalid") return `${problems.length} to mend`;
  if (missingLeaves.length === 0) return `well formed, but not to be built: ${problems.length} not served, as above`;
  const leaves = missingLeaves.length === 1 ? "1 leaf is" : `${missingLeaves.length} leaves are`;
  return `well formed, but ${leaves} missing: ${missingLeaves.join(", ")}`;
}

/** One sentence about what can be built and not measured. */
function drivenSentence({ undriven }: ContractCheck): string {
  if (undriven.length === 0) return "";
  const what = undriven.map(({ path, message }) => `${path}: ${message}`).join("; ");
  return `lathe run, bench and evolve cannot measure it yet (lathe build and serve need no driver): ${what}`;
}

function registerExplain(contract: Command): void {
  const command = contract
    .command("explain")
    .description("a contract in plain sentences: what it promises, what that costs, which leaf serves it")
    .argument("<contract>", "a contract.yaml");
  withFrame(command, {
    examples: ["lathe contract explain examples/taobench-o/contract.yaml"],
    exitCodes: [],
  }).action((file: string, options: { json?: boolean }) =>
    runAction(options.json, () => {
      const explanation = explainContractFile(file);
      return { json: explanation, text: formatExplanation(explanation) };
    }),
  );
}

function formatExplanation(explanation: ContractExplanation): string {
  const lines = [explanation.name, explanation.description, ""];
  for (const topic of explanation.topics) {
    lines.push(topic.title);
    lines.push(...topic.promises.map((sentence) => `  ${sentence}`));
    lines.push(...topic.costs.map((sentence) => `  cost: ${sentence}`));
    if (topic.leaves.length > 0) lines.push(`  served by: ${topic.leaves.join(", ")}`);
    lines.push("");
  }
  if (explanation.invariants.length > 0) {
    lines.push("Invariants");
    for (const { text, oracle } of explanation.invariants) {
      lines.push(`  ${text}${oracle === undefined ? "" : ` [checked by ${oracle}]`}`);
    }
    lines.push("");
  }
  if (explanation.nonGoals.length > 0) lines.push("Left out", ...explanation.nonGoals.map((goal) => `  ${goal}`), "");
  const { unserved, undriven } = explanation;
  if (unserved.length > 0) lines.push("Not served yet", formatProblems(unserved));
  if (undriven.length > 0) lines.push("Not measured by run, bench and evolve yet", formatProblems(undriven));
  return lines.join("\n");
}
