/**
 * README.md of a product: what it is, what it promises, what it leaves out, how to run it.
 */
import type { Contract } from "../contract/contract.ts";
import { dataBytes, explainContract, formatCount } from "../contract/explain.ts";
import type { Knob } from "../knobs/knob.ts";
import type { Selection } from "./selection.ts";

export function productReadme(contract: Contract, selection: Selection, knobs: readonly Knob[]): string {
  const topics = explainContract(contract);
  const megabytes = Math.round(dataBytes(contract.data.tables) / 1e6);
  const high = knobs.filter((knob) => knob.impact === "high").map((knob) => `\`${knob.name}\``);
  const hint = high.length > 0 ? `; those that matter most: ${high.join(", ")}` : "";
  return [
    `# ${contract.name}`,
    "",
    contract.description,
    "",
    "A database for this one workload, assembled by Lathe from its parts library. It holds nothing else, has no",
    "dependency, and is yours: an ordinary project to read, change and keep in git.",
    "",
    "## Run",
    "",
    "```sh",
    "node main.ts --data ./data --mysql-port 3306 --metrics-port 9100   # Node 24.15 or newer",
    "mysql --host 127.0.0.1 --port 3306 --user lathe --password         # shown once, at the first start",
    "npm test                                                           # what runs with Node alone",
    "npm run test:conformance                                           # suites of its parts; installs fast-check",
    "```",
    "",
    "The password comes from `LATHE_PASSWORD` or is made at the first start. SIGTERM drains and exits with 0.",
    "`node main.ts --help` lists flags and exit codes.",
    "",
    "## What it promises",
    "",
    ...topics.flatMap((topic) => [`**${topic.title}.** ${topic.promises.join(" ")}`, ""]),
    ...(contract.invariants.length === 0 ? [] : ["Invariants:", ""]),
    ...contract.invariants.map(({ text }) => `- ${text}`),
    "",
    "## What it costs",
    "",
    ...topics.flatMap((topic) => topic.costs.map((cost) => `- ${cost}`)),
    "",
    "## What it leaves out",
    "",
    ...contract.nonGoals.map((goal) => `- ${goal}`),
    "- Everything that is not a leaf below. A statement that needs more gets an error that names the missing leaf.",
    "",
    "## What is inside",
    "",
    `Selection \`${selection.hash.slice(0, 16)}\`; files on disk carry it and no other product opens them.`,
    "",
    "| part | folder | leaves |",
    "|---|---|---|",
    ...selection.parts.map((part) => `| ${part.name} | \`parts/${part.path}\` | ${part.leaves.length} |`),
    "",
    "Read `product.ts` first: it is the wiring. `main.ts` opens it on the real machine. `kit/` holds what every",
    `product carries, \`parts/\` the database itself. \`knobs.yaml\` documents ${knobs.length} knobs${hint}.`,
    "",
    `Sized for at most ${formatCount(megabytes)} MB of rows, within ${contract.targets.memoryMiBMax} MiB of memory.`,
    "",
  ].join("\n");
}
