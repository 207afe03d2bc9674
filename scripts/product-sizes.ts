/**
 * How large the examples' products are, and what of it belongs to a server; beside the databases that the SpecDB paper
 * counts (its Table 8).
 *
 *     node scripts/product-sizes.ts [EXAMPLE…] [--json] [--record examples/bars]
 *
 *   lines    as cloc counts them: without blanks, comments and tests (`source-size.ts`); bytes of the same files
 *   server   lines of files that listen, speak a protocol or ask who is there; none in a library, or it ends with 1
 *   files    all that a build writes, tests and documents too
 * With --record it writes products.json and products.md there.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { barText, type RecordedBar } from "../src/bench/recorded-bar.ts";
import { loadContract } from "../src/contract/parse.ts";
import { assembleProduct } from "../src/foundry/build.ts";
import { linesElsewhere, serverLines, sourceSize } from "../src/foundry/source-size.ts";
import { LatheError } from "../src/kit/errors.ts";
import { loadKnobCatalog } from "../src/knobs/catalog.ts";
import { root } from "./repository.ts";

const command = "node scripts/product-sizes.ts --record examples/bars";
const examples = join(root, "examples");
const columns = [
  "parts", "leaves", "layers", "contractNodes", "knobs", "files", "lines", "serverLines", "bytes",
] as const;
const titles = ["parts", "leaves", "layers", "contract nodes", "knobs", "files", "lines", "of a server", "bytes"];

interface ProductSize extends Readonly<Record<(typeof columns)[number], number>> {
  readonly product: string;
  readonly isLibrary: boolean;
}

function exampleNames(): string[] {
  return readdirSync(examples).filter((name) => existsSync(join(examples, name, "contract.yaml"))).sort();
}

function measure(product: string): ProductSize {
  const file = join(examples, product, "contract.yaml");
  if (!existsSync(file)) {
    const message = `there is no example ${product}; there are ${exampleNames().join(", ")}`;
    throw new LatheError("NOT_FOUND", message);
  }
  const [contract, contractText] = [loadContract(file), readFileSync(file, "utf8")];
  const input = { contract, contractText, knobCatalog: loadKnobCatalog() };
  const { files, plan, selected, selection, knobs } = assembleProduct(input, join(examples, product, "never-written"));
  const { lines, bytes } = sourceSize(files);
  return {
    product,
    isLibrary: contract.surface.protocols.every((protocol) => protocol === "embedded"),
    parts: Object.keys(selected).length,
    leaves: selection.leaves.length,
    layers: plan.layers.length,
    contractNodes: plan.contractNodes.length,
    knobs: knobs.length,
    files: files.size,
    lines,
    serverLines: serverLines(files),
    bytes,
  };
}

const shown = (count: number) => count.toLocaleString("en-US");

function barsOf(sizes: readonly ProductSize[]): RecordedBar[] {
  return sizes.map(({ product, isLibrary, lines, serverLines: server }) => {
    const claim = `${product}: lines that belong to a server`;
    const measured = `${shown(server)} of ${shown(lines)}`;
    return isLibrary ? { claim, measured, bar: { text: "0 in a library", met: server === 0 } } : { claim, measured };
  });
}

function page(sizes: readonly ProductSize[], bars: readonly RecordedBar[]): string {
  const cells = (size: ProductSize) => [size.product, ...columns.map((column) => shown(size[column]))];
  const rows = sizes.map((size) => `| ${cells(size).join(" | ")} |`);
  const largest = Math.max(...sizes.map(({ lines }) => lines));
  const elsewhere = linesElsewhere.map(
    ([system, lines]) => `| ${system} | ${shown(lines)} | ${(lines / largest).toFixed(1)} |`,
  );
  return [
    "# How large products are", "",
    `Made by \`${command}\`.`,
    "Lines as cloc counts them, without blanks, comments and tests, and the bytes of the same files; files are all",
    "that a build writes.", "",
    `| product | ${titles.join(" | ")} |`, `|---|${titles.map(() => "--:|").join("")}`, ...rows, "",
    ...bars.filter(({ bar }) => bar !== undefined).map((bar) => `${bar.claim}: ${bar.measured} (${barText(bar)}).`), "",
    "## Beside databases that serve any workload", "",
    "Server-side lines by the SpecDB paper, Table 8, which counts no RocksDB; and how many times the largest product",
    "above. They do far more than these products; the counts say what a workload that asks for less need not carry.",
    "",
    "| system | lines | times the largest product |", "|---|--:|--:|", ...elsewhere, "",
  ].join("\n");
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false }, record: { type: "string" } },
});
const sizes = (positionals.length > 0 ? positionals : exampleNames()).map(measure);
const bars = barsOf(sizes);
const text = page(sizes, bars);
const record = { command, products: sizes, linesElsewhere: Object.fromEntries(linesElsewhere), bars };
const json = `${JSON.stringify(record, undefined, 2)}\n`;
process.stdout.write(values.json ? json : text);
if (values.record !== undefined) {
  writeFileSync(join(values.record, "products.json"), json);
  writeFileSync(join(values.record, "products.md"), text);
}
if (bars.some(({ bar }) => bar?.met === false)) process.exitCode = 1;
