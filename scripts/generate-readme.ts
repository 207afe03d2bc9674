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
import { readEntries } from "../src/journal/journal-reader.ts";
import { renderMarkdown, renderSvg } from "../src/report/markdown.ts";
import { readStudyRecord } from "../src/report/study-record.ts";
import { root } from "./repository.ts";

const resultDirectory = join(root, "examples", "taobench-o", "result");
export const figurePath = join(resultDirectory, "effect.svg");

/** The README with its blocks made anew. */
export function renderReadme(text: string): string {
  return text.replace(
    /(<!-- generated: ([a-z-]+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_, open: string, name: string, close: string) => `${open}${blockOf(name)}${close}`,
  );
}

function blockOf(name: string): string {
  if (name === "result") return resultBlock();
  if (name === "commands") return commandsBlock();
  const path = join(root, "examples", "bars", `${name}.md`);
  if (existsSync(path)) return `\n${shortened(readFileSync(path, "utf8")).trim()}\n\n`;
  throw new Error(`README.md has a block ${name}, of which nothing is recorded`);
}

/** Of a recorded table the rows that have a bar, without the columns for specialists. */
function shortened(text: string): string {
  const lines = text.split("\n").filter((line) => !line.startsWith("|") || !/\| *\| [^|]*\|$/.test(line));
  const heads = lines.find((line) => /^\| (claim|what) \|/.test(line))?.split("|").map((cell) => cell.trim()) ?? [];
  const hidden = heads.flatMap((head, index) => (["lower", "note"].includes(head) ? [index] : []));
  return lines
    .map((line) => {
      if (!line.startsWith("|")) return line;
      return line.split("|").filter((_, index) => !hidden.includes(index)).join("|");
    })
    .join("\n");
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
