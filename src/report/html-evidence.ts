/** On what the result rests: gates, environment, and the commands that do it again. */
import type { GateVerdict } from "../gates/gate.ts";
import { formatCount, formatDuration } from "./format.ts";
import { formatBudget } from "./format-budget.ts";
import { escape, markup, pairs, section, table, text } from "./html-text.ts";
import type { HtmlOptions } from "./html.ts";
import type { StudyRecord } from "./study-record.ts";

const evidenceLengthMax = 4000;

export function gateSection(record: StudyRecord): string {
  if (record.productGates.length === 0) return "";
  const rows = record.productGates.map((verdict) => ({
    cells: [
      text(verdict.gate, "name"),
      text(verdict.verdict, `verdict ${verdict.verdict}`),
      markup(escape(verdict.reason) + evidence(verdict)),
      text(formatDuration(verdict.seconds), "number soft"),
    ],
  }));
  const heads = [
    { cells: [text("Gate"), text("Verdict"), text("What was looked at"), text("Time", "number")] },
  ];
  const ofCandidates = record.trials.flatMap(({ gates }) => gates);
  const rejected = record.trials.filter(({ gates }) =>
    gates.some(({ verdict }) => verdict !== "admit"),
  ).length;
  const lead =
    "Correctness comes before speed: what a gate does not admit is never measured." +
    (ofCandidates.length === 0
      ? ""
      : ` Every candidate had to pass ${gatesPerCandidate(record)} before its first launch; ` +
        `${record.trials.length - rejected} of ${record.trials.length} did.`);
  return section("Gates", lead, table(heads, rows, "Gates of the product"));
}

function gatesPerCandidate(record: StudyRecord): string {
  const names = [...new Set(record.trials.flatMap(({ gates }) => gates.map(({ gate }) => gate)))];
  return names.length === 1
    ? `the gate ${names[0]}`
    : `the gates ${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;
}

function evidence({ evidence: facts }: GateVerdict): string {
  if (Object.keys(facts).length === 0) return "";
  const shown = JSON.stringify(
    facts,
    (_, value: unknown) => (typeof value === "bigint" ? String(value) : value),
    1,
  );
  return `<details><summary>evidence</summary><pre>${escape(shown.slice(0, evidenceLengthMax))}</pre></details>`;
}

export function environmentSection(record: StudyRecord): string {
  const { environment, versions, commit, product, contract, seed, alpha } = record.header;
  const { workload, storage, targets } = contract;
  const ceiling = [...record.calibrationLaunches].at(0)?.driver;
  const facts: (readonly [string, string])[] = [
    [
      "Machine",
      `${environment.cpuModel}, ${environment.cores} cores, ${formatCount(environment.memoryMiB)} MiB`,
    ],
    [
      "System",
      `${environment.operatingSystem}, kernel ${environment.kernel}, ${environment.architecture}`,
    ],
    [
      "Data on",
      `${environment.fileSystem}${environment.dataInMemory ? " (in memory: nothing here is durable)" : ""}`,
    ],
    [
      "Workload",
      `${workload.benchmark} ${workload.profile}, scale ${formatCount(workload.scale)}, ` +
        `${workload.clients} clients, ${workload.loop} loop`,
    ],
    ["Durability", storage.durability.replace("_", " ")],
    [
      "Guards",
      `p99 at most ${targets.p99RatioMax} times, memory at most ${targets.memoryRatioMax} times or ` +
        `${targets.memoryMiBMax} MiB`,
    ],
    ["Product", `${product.name}, ${product.hash.slice(0, 16)}`],
    [
      "Versions",
      Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(", "),
    ],
    ["Commit", commit ?? "unknown"],
    ["Seed and α", `${seed}, ${alpha}`],
  ];
  if (ceiling !== undefined) {
    facts.push([
      "Driver",
      `reaches ${formatCount(ceiling.ceilingOpsPerSecond)} operations per second on fixed rows; ` +
        `used to ${(ceiling.utilisation * 100).toFixed(0)} % here`,
    ]);
  }
  const peers = record.solos
    .filter(({ configuration }) => configuration !== undefined)
    .map(
      ({ label, configuration }) =>
        `<details><summary>Configuration of ` +
        `${escape(label)}</summary><pre>${escape(JSON.stringify(configuration, null, 1))}</pre></details>`,
    );
  return section("Environment", "", pairs(facts) + peers.join(""));
}

export function reproductionSection(record: StudyRecord, options: HtmlOptions): string {
  const { seed, proposer } = record.header;
  const budget = formatBudget(record).argument;
  const contract = options.contractPath ?? "contract.yaml";
  const journal = options.journalPath ?? "journal.ndjson";
  const commands = [
    "# measure again, on your machine",
    `./lathe run ${contract} --seed ${seed} --policy ${proposer} --budget ${budget}`,
    "",
    "# make every decision again from the recorded launches",
    `./lathe replay ${journal}`,
    "",
    "# this report again",
    `./lathe report ${journal}`,
  ];
  return section("Do it again", "", `<pre>${escape(commands.join("\n"))}</pre>`);
}
