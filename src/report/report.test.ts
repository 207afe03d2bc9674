/**
 * Reports of a simulated study: complete, in every form, for every state that a journal can be in.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import type { JournalEntry } from "../journal/entry.ts";
import { renderHtml } from "./html.ts";
import { renderMarkdown, renderSvg } from "./markdown.ts";
import { operationTable } from "./operation-table.ts";
import { createSampleJournal, sampleOptions } from "./sample-study.ts";
import { readStudyRecord, type StudyRecord } from "./study-record.ts";
import { summarise } from "./summary.ts";
import { renderTerminal } from "./terminal.ts";

const journal = await createSampleJournal();
const entries = [...journal.entries()];
const record = readStudyRecord(entries);

function allForms(one: StudyRecord): string[] {
  return [
    renderHtml(one),
    renderTerminal(one, { colours: false }),
    renderMarkdown(one),
    renderSvg(one) ?? "",
    JSON.stringify(summarise(one, undefined)),
  ];
}

test("the summary has the stable fields, and they follow from the launches", () => {
  const summary = JSON.parse(JSON.stringify(summarise(record, "out/report.html")));
  assert.deepEqual(
    ["contract", "outcome", "baseline", "winner", "gain", "gates", "trials", "report"].filter(
      (name) => !(name in summary),
    ),
    [],
  );
  assert.equal(summary.outcome, "gain");
  for (const name of ["throughput", "p50", "p99", "memory"]) {
    const { ratio, interval } = summary.gain[name];
    assert.ok(interval[0] <= ratio && ratio <= interval[1], name);
  }
  assert.ok(summary.gain.throughput.interval[0] > 1);
  assert.ok(summary.winner.opsPerSecond / summary.baseline.opsPerSecond > 1);
  assert.equal(summary.trials.length, sampleOptions.settings?.trialsMax);
  assert.equal(summary.report, "out/report.html");
});

test("the page needs nothing but itself and shows every trial, gate, operation and change", () => {
  const html = renderHtml(record, { contractPath: "contract.yaml", journalPath: "out" });
  assert.ok(!/<script|<link|<img|<iframe|\bsrc=|@import|url\(/i.test(html));
  const addresses = html.match(/https?:\/\/[^"'\s<]*/g) ?? [];
  assert.deepEqual([...new Set(addresses)], ["http://www.w3.org/2000/svg"]);
  for (const { ended } of record.trials) assert.ok(html.includes(`>${ended?.outcome}<`));
  for (const { gate } of record.productGates) assert.ok(html.includes(`>${gate}<`));
  for (const name of operationTable(record)?.operations ?? [])
    assert.ok(html.includes(`>${name}<`));
  for (const name of Object.keys(record.winner?.knobs ?? {}))
    assert.ok(html.includes(`<code>${name}</code>`));
  assert.ok(html.includes("MariaDB") && html.includes("./lathe replay out"));
  assert.ok(html.includes("prefers-color-scheme:dark") && html.includes("@media print"));
});

test("elements of the page are closed in order", () => {
  const html = renderHtml(record)
    .replace(/<style>[\s\S]*?<\/style>/g, "")
    .replace(/<!doctype html>/, "");
  const open: string[] = [];
  const empty = new Set(["meta", "br"]);
  for (const [, close, name, selfClosed] of html.matchAll(
    /<(\/?)([a-z0-9]+)(?:\s[^<>]*?)?(\/?)>/gi,
  )) {
    if (empty.has(name) || selfClosed === "/") continue;
    if (close === "/") assert.equal(open.pop(), name);
    else open.push(name);
  }
  assert.deepEqual(open, []);
});

test("text from a journal cannot become markup", () => {
  const evil = `<img src=x onerror="alert(1)">`;
  const changed = entries.map((entry): JournalEntry => {
    if (entry.kind === "study_started") {
      return {
        ...entry,
        contract: { ...entry.contract, name: evil },
        commit: evil,
        product: { ...entry.product, name: evil },
      };
    }
    if (entry.kind === "gate_verdict")
      return {
        ...entry,
        verdict: { ...entry.verdict, gate: evil, reason: evil, evidence: { evil } },
      };
    if (entry.kind === "trial_ended" || entry.kind === "outcome") return { ...entry, reason: evil };
    if (entry.kind === "solo_measurement")
      return { ...entry, label: evil, configuration: { evil } };
    return entry;
  });
  const forms = allForms(readStudyRecord(changed));
  for (const form of [forms[0], forms[3]]) assert.ok(!form.includes("<img"));
});

test("a terminal gets the result first, within 80 columns, and colours only where asked", () => {
  const plain = renderTerminal(record, { colours: false, reportPath: "out/report.html" });
  assert.match(plain.split("\n")[0], /^\+\d+\.\d % throughput$/);
  assert.equal(stripVTControlCharacters(plain), plain);
  for (const line of plain.split("\n")) assert.ok(line.length <= 80, line);
  const coloured = renderTerminal(record, { colours: true, reportPath: "out/report.html" });
  assert.notEqual(coloured, plain);
  assert.equal(stripVTControlCharacters(coloured), plain);
});

test("every prefix of a journal has a report in every form", () => {
  for (let length = 1; length <= entries.length; length++) {
    const forms = allForms(readStudyRecord(entries.slice(0, length)));
    for (const form of forms)
      assert.ok(
        !/\bNaN\b|undefined|Infinity/.test(form),
        `${length}: ${form.match(/.{60}(NaN|undefined|Infinity)/)?.[0]}`,
      );
  }
});

test("refused, stopped and gainless studies say so", async () => {
  const reject = await createSampleJournal({
    simulation: { noise: 0.02, productRejection: "2 writes were lost" },
  });
  const refused = readStudyRecord(reject.entries());
  assert.match(renderTerminal(refused, { colours: false }), /^Refused\n.*2 writes were lost/);
  assert.equal(summarise(refused, undefined).outcome, "refused");
  const none = readStudyRecord((await createSampleJournal({ effects: {} })).entries());
  assert.match(renderHtml(none), /No gain found/);
  assert.equal(summarise(none, undefined).gain, null);
  const stop = new AbortController();
  let steps = 0;
  const onProgress = () => (++steps === 20 ? stop.abort() : undefined);
  const stopped = readStudyRecord(
    (await createSampleJournal({ signal: stop.signal, onProgress })).entries(),
  );
  assert.ok(summarise(stopped, undefined).interrupted);
  assert.match(renderTerminal(stopped, { colours: false }), /^Stopped before its end/);
});

test("a README gets a table and a figure that stands alone", () => {
  const markdown = renderMarkdown(record);
  const rows = markdown.split("\n").filter((line) => line.startsWith("|"));
  assert.equal(new Set(rows.map((row) => row.split(/(?<!\\)\|/).length)).size, 1);
  assert.ok(rows.some((row) => row.includes("READTRANSACTION")));
  const svg = renderSvg(record);
  assert.match(svg ?? "", /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"[^>]*><style>/);
});

test("figures per operation add up to the total", () => {
  for (const { total, operations, label } of operationTable(record)?.columns ?? []) {
    const sum = Object.values(operations).reduce((all, { opsPerSecond }) => all + opsPerSecond, 0);
    assert.ok(Math.abs(sum / total.opsPerSecond - 1) < 0.02, label);
  }
});

test("a subject that was measured again after a resumption has one column", () => {
  const solo = entries.filter(({ kind }) => kind === "solo_measurement");
  const twice = readStudyRecord([...entries, ...solo]);
  assert.equal(operationTable(twice)?.columns.length, operationTable(record)?.columns.length);
});
