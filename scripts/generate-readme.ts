/**
 * Writes the generated blocks of README.md from recorded results, so that no figure in it is typed.
 *
 * A block stands between `<!-- generated: NAME -->` and `<!-- end -->`. Sources: the journal of the recorded
 * run (`examples/taobench-o/result/journal.ndjson`), the recorded bars (`examples/bars/*.md`), and the
 * program's own help.
 * Run: `node scripts/generate-readme.ts`; the tidy test fails when the README is stale.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RecordedBar } from "../src/bench/recorded-bar.ts";
import { readEntries } from "../src/journal/journal-reader.ts";
import { renderMarkdown, renderSvg } from "../src/report/markdown.ts";
import { readStudyRecord } from "../src/report/study-record.ts";
import { root } from "./repository.ts";

const barsDirectory = join(root, "examples", "bars");
const resultDirectory = join(root, "examples", "taobench-o", "result");
export const figurePath = join(resultDirectory, "effect.svg");

/** The README with its blocks made anew. */
export function renderReadme(text: string): string {
  return text.replace(
    /(<!-- generated: ([a-z -]+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_, open: string, name: string, close: string) => `${open}${blockOf(name)}${close}`,
  );
}

function blockOf(name: string): string {
  if (name === "result") return resultBlock();
  if (name === "commands") return commandsBlock();
  const recorded = headlines[name];
  if (recorded !== undefined) return barsBlock(recorded);
  const path = join(barsDirectory, `${name}.md`);
  if (existsSync(path)) return `\n${readFileSync(path, "utf8").trim()}\n\n`;
  throw new Error(`README.md has a block ${name}, of which nothing is recorded`);
}

interface Headline {
  readonly file: string;
  readonly claims?: readonly string[];
}

/** Of the recorded bars the rows that say most; where none are named, every row that has a bar. */
const headlines: Readonly<Record<string, readonly Headline[]>> = {
  "measurement bars": [
    {
      file: "statistics",
      claims: [
        "null study keeps something (2 % noise)",
        "null study keeps something (strong drift, every candidate confirmed)",
        "planted bug: keep if better",
        "planted bug: t-test at 5 %, looked at after every launch",
        "true gain of 5 % at 2 % noise confirmed within 14 launches",
        "quoted interval of 8 launches covers the truth",
      ],
    },
    { file: "real-null", claims: ["studies of eight null candidates that keep something, throughput, screened"] },
    { file: "real-planted" },
  ],
  "engine bars": [{ file: "engine" }, { file: "load" }],
};

function barsBlock(chosen: readonly Headline[]): string {
  const rows = chosen.flatMap(({ file, claims }) => {
    const path = join(barsDirectory, `${file}.json`);
    const { bars = [] } = JSON.parse(readFileSync(path, "utf8")) as { bars?: readonly RecordedBar[] };
    const shown = bars.filter(({ claim, bar }) => claims?.includes(claim) ?? bar !== undefined);
    if (shown.length < (claims?.length ?? 1)) throw new Error(`${file}.json lacks a row that the README shows`);
    return shown.map(({ claim, measured, bar }) => {
      const verdict = bar === undefined ? "" : `${bar.text}: ${bar.met ? "met" : "**not met**"}`;
      return `| ${claim} | ${measured} | ${verdict} | [${file}](examples/bars/${file}.md) |`;
    });
  });
  return `\n| what | measured | bar | in full |\n|---|--:|---|---|\n${rows.join("\n")}\n\n`;
}

function resultBlock(): string {
  const record = readStudyRecord(readEntries(join(resultDirectory, "journal.ndjson")));
  const { environment } = record.header;
  const figure =
    renderSvg(record) === undefined
      ? ""
      : "\n![Every candidate of the recorded study: what screening saw, what was confirmed, what was " +
        "re-measured](examples/taobench-o/result/effect.svg)\n";
  const { cpuModel, cores, operatingSystem, fileSystem } = environment;
  const where = `${cpuModel}, ${cores} cores, ${operatingSystem}, data on ${fileSystem}`;
  return (
    `\n${renderMarkdown(record)}${figure}\nRecorded with \`npm start\` on ${where}. ` +
    "`./lathe replay examples/taobench-o/result` makes every decision again from the raw launches, and " +
    "`./lathe report examples/taobench-o/result` the whole report.\n\n"
  );
}

function commandsBlock(): string {
  const node = process.execPath;
  const help = execFileSync(node, [join(root, "src", "cli", "main.ts"), "--help"], {
    encoding: "utf8",
    env: { ...process.env, COLUMNS: "100", NO_COLOR: "1" },
  });
  const commands = /Commands:\n([\s\S]*?)\n\n/.exec(help)?.[1] ?? "";
  return `\n\`\`\`\n${commands}\n\`\`\`\n\n`;
}

if (import.meta.main) {
  const path = join(root, "README.md");
  writeFileSync(path, renderReadme(readFileSync(path, "utf8")));
  const record = readStudyRecord(readEntries(join(resultDirectory, "journal.ndjson")));
  const figure = renderSvg(record);
  if (figure !== undefined) writeFileSync(figurePath, figure);
}
