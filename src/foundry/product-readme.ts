/**
 * README.md of a product: what it is, what it promises, what it leaves out, how to run it.
 */
import type { Column, Contract } from "../contract/contract.ts";
import { dataBytes, explainContract, formatCount } from "../contract/explain.ts";
import { keyValueTableOf } from "../contract/key-value-table.ts";
import type { Knob } from "../knobs/knob.ts";
import { propertyName } from "./client-module.ts";
import { isLibrary, type SelectedParts } from "./composition.ts";
import { formatHashOf } from "./format-hash.ts";
import type { Selection } from "./selection.ts";
import { elsewherePhrase, sizePhrase, type SourceSize } from "./source-size.ts";

export function productReadme(
  contract: Contract, selected: SelectedParts, selection: Selection, knobs: readonly Knob[], size: SourceSize,
): string {
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
    ...(isLibrary(selected) ? librarySection(contract) : ["## Run", "", "```sh", ...runLines(contract)]),
    "npm test                                                           # what runs with Node alone",
    "npm run test:conformance                                           # suites of its parts; installs fast-check",
    "```",
    "",
    ...(contract.surface.protocols.includes("mysql")
      ? ["The password comes from `LATHE_PASSWORD` or is made at the first start."]
      : []),
    ...(isLibrary(selected)
      ? []
      : ["SIGTERM drains and exits with 0. `node main.js --help` lists flags and exit codes."]),
    "",
    ...(contract.surface.protocols.includes("http") ? httpSection(contract) : []),
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
    ...leftOutLines(selection),
    `- Everything that is not a leaf below.${contract.surface.protocols.includes("mysql") ? refusedStatements : ""}`,
    "",
    "## What is inside",
    "",
    `Selection \`${selection.hash.slice(0, 16)}\`, formats \`${formatHashOf(selected).slice(0, 32)}\`.`,
    "Files on disk carry the format hash: a product that is built again with the same engine, log and layout opens",
    "them, whatever surfaces, caches and metrics it has; another one refuses them, and then the way is",
    isLibrary(selected)
      ? "a program that has both open, each with its own directory, and puts what it scans."
      : "`lathe export` and `lathe import`.",
    "",
    "| part | folder | leaves |",
    "|---|---|---|",
    ...selection.parts.map((part) => `| ${part.name} | \`parts/${part.path}\` | ${part.leaves.length} |`),
    "",
    `\`selection.json\` says of each of its ${selection.leaves.length} leaves why it is there; \`plan.json\` is the`,
    "order in which they are built, with what leaves that work together keep between them.",
    "",
    `Read \`product.ts\` first: it is the wiring. ${mainNote(selected)}\`kit/\` holds what every`,
    `product carries, \`parts/\` the database itself. \`knobs.yaml\` documents ${knobs.length} knobs${hint}.`,
    "",
    `It has ${sizePhrase(size)}.`,
    `For databases that serve any workload, the SpecDB paper (Table 8) counts ${elsewherePhrase()}.`,
    "",
    `Sized for at most ${formatCount(megabytes)} MB of rows, within ${contract.targets.memoryMiBMax} MiB of memory.`,
    "",
  ].join("\n");
}

const refusedStatements = " A statement that needs more gets an error that names the missing leaf.";

/** What has to stay out, and what was wanted by a rule or a part and is not there; the whole is in `selection.json`. */
function leftOutLines({ excluded, leftOut }: Selection): string[] {
  const covered = (path: string) => excluded.some((one) => path === one.path || path.startsWith(`${one.path}/`));
  const shown = [...excluded, ...leftOut.filter(({ path }) => !covered(path))];
  return shown.map(({ path, because }) => {
    const reason = because.replace(`${path} `, "").replace(/ \(rule for .*\)$/, "");
    return `- \`${path}\`: ${reason}.`;
  });
}

function mainNote(selected: SelectedParts): string {
  return isLibrary(selected) ? "" : "`main.js` opens it on the real machine. ";
}

/** A program of ten lines, and how the library gets into a project of JavaScript. */
function librarySection({ name, data }: Contract): string[] {
  const [{ name: table, columns, primaryKey }] = data.tables;
  const valueOf = ({ type }: Column) =>
    ({ bigint: "1n", int: "1", double: "1.5", varchar: '"a"', varbinary: "Uint8Array.of(1)" })[type];
  const fields = (shown: readonly Column[]) =>
    shown.map((column) => `${propertyName(column.name)}: ${valueOf(column)}`).join(", ");
  const key = `{ ${fields(columns.filter((column) => primaryKey.includes(column.name)))} }`;
  return [
    "## Use",
    "",
    "```js",
    `import { open } from "${name}";`,
    "",
    'const store = await open("./data");                        // one process has a directory',
    `const row = { ${fields(columns)} };`,
    `await store.${table}.put(row);                              // resolves when it is on the device`,
    `console.log(store.${table}.get(${key}));`,
    `await store.${table}.putIf(row, "absent");                  // false: it is there`,
    `await store.transaction((batch) => batch.put(store.${table}, row).delete(store.${table}, ${key}));`,
    `for (const found of store.${table}.scan({ limit: 10 })) console.log(found);`,
    "await store.close();",
    "```",
    "",
    "`npm pack` here writes a package of plain JavaScript with types; install that where it is used. TypeScript that",
    "Node runs as it is may import `product.ts`. `knobs.yaml` holds for either, and what is given to",
    "`open(directory, { knobs })` goes first.",
    "",
    "```sh",
  ];
}

function runLines({ surface }: Contract): string[] {
  const overMysql = surface.protocols.includes("mysql");
  const overHttp = surface.protocols.includes("http");
  const ports = [...(overMysql ? ["--mysql-port 3306"] : []), ...(overHttp ? ["--http-port 8080"] : [])].join(" ");
  return [
    `node main.js --data ./data ${ports} --metrics-port 9100   # Node 24.15 or newer`,
    ...(overMysql
      ? ["mysql --host 127.0.0.1 --port 3306 --user lathe --password         # shown once, at the first start"]
      : []),
    ...(overHttp
      ? ["curl http://127.0.0.1:8080/docs                       # the routes; /openapi.json for programs",
        "curl -X PUT --data-binary @file http://127.0.0.1:8080/kv/name"]
      : []),
  ];
}

function httpSection({ data, surface }: Contract): string[] {
  const table = keyValueTableOf(data.tables);
  const shared = surface.protocols.includes("mysql");
  return [
    "## Over HTTP",
    "",
    "Routes and status codes of SNDV-KV (`/put`, `/get`, `/batch`, `/delete`, `/metrics`), and by key as bytes",
    "(`/kv/{key}`), batches of reads, ranges (`/scan`), conditions (`If-Match`, `If-None-Match`), `/import` and",
    "`/export` as lines of JSON. A write is answered when it is on the device. `client.ts` is a typed client.",
    "",
    "On loopback no token is asked for (`--require-token` does); elsewhere every request needs one, and TLS:",
    "",
    "```sh",
    "node main.js --data ./data --make-token read,write --token-days 7",
    "node main.js --data ./data --host 0.0.0.0 --http-port 8443   # HTTPS, by default with a certificate of its own",
    "```",
    "",
    `Keys have at most ${table?.columns[0].lengthMax} bytes, values ${table?.columns[1].lengthMax}.`,
    ...(shared
      ? [`SQL sees the same rows in table \`${table?.name}\`. Who changes a value by SQL sets \`version\` to a`,
        "higher one, since ETags are made of it; rows that have expired (`expires_ms`) are hidden over HTTP and stay",
        "until they are deleted by SQL or written again."]
      : []),
    "",
  ];
}
