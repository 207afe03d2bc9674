/**
 * The report as one HTML file: no script, no request, nothing outside of it. Light and dark, phone
 * and paper.
 *
 * Order: what came out, for whom it matters, on what it rests, and how to do it again.
 */
import { figureStyle, themeStyle } from "./figure-style.ts";
import { figureBlock, section } from "./html-text.ts";
import { environmentSection, gateSection, reproductionSection } from "./html-evidence.ts";
import { changeSection, factsBlock, headerBlock, operationSection } from "./html-result.ts";
import { trialSection } from "./html-trials.ts";
import { forestFigure } from "./forest-figure.ts";
import { formatDuration } from "./format.ts";
import { noiseFigure } from "./noise-figure.ts";
import { pageStyle } from "./page-style.ts";
import { progressFigure } from "./progress-figure.ts";
import type { StudyRecord } from "./study-record.ts";
import { escapeXml } from "./svg.ts";
import { verdictOf } from "./verdict.ts";

export interface HtmlOptions {
  /** As a person would type them; shown in the commands. */
  readonly contractPath?: string | undefined;
  readonly journalPath?: string | undefined;
}

export function renderHtml(record: StudyRecord, options: HtmlOptions = {}): string {
  const verdict = verdictOf(record);
  const name = record.header.contract.name;
  const body = [
    headerBlock(record, verdict),
    factsBlock(record),
    operationSection(record),
    changeSection(record),
    effectSection(record),
    progressSection(record),
    trialSection(record),
    noiseSection(record),
    gateSection(record),
    environmentSection(record),
    reproductionSection(record, options),
  ];
  const footer =
    `<footer>Journal of ${record.entries} entries, ${escapeXml(record.startedAt)} to ` +
    `${escapeXml(record.endedAt)}. Its last line, which stands for all of them: ` +
    `<code>${escapeXml(record.headHash)}</code></footer>`;
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width,initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    '<meta http-equiv="Content-Security-Policy" ' +
      `content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>${escapeXml(`${name}: ${verdict.headline}`)}</title>`,
    `<style>${themeStyle}${pageStyle}${figureStyle}</style></head><body><main>`,
    ...body,
    footer,
    "</main></body></html>\n",
  ].join("\n");
}

function effectSection(record: StudyRecord): string {
  const svg = forestFigure(record);
  if (svg === undefined) return "";
  const seen =
    "what the search saw of each candidate against the incumbent of its time; those estimates are " +
    "biased upwards where they were good, and are not quoted.";
  const lead = record.remeasurements.some(({ result }) => result !== undefined)
    ? `The first row is the result: launches that took part in no decision. Below it, ${seen}`
    : `This is ${seen}`;
  return section("Effect", lead, figureBlock(svg) + markKey());
}

function markKey(): string {
  const mark = (shape: string, name: string) =>
    `<span><svg class="figure" viewBox="0 0 14 14" aria-hidden="true">${shape}</svg>${name}</span>`;
  return `<p class="key">${[
    mark('<path d="M1 7L7 1L13 7L7 13Z" class="kept"/>', "kept, or the quoted estimate"),
    mark('<circle cx="7" cy="7" r="4.5" class="hollow"/>', "dropped"),
    mark('<path d="M3 3L11 11M3 11L11 3" class="cross"/>', "rejected or failed"),
    mark('<circle cx="7" cy="7" r="2.5" class="faint"/>', "one launch"),
  ].join("")}</p>`;
}

function progressSection(record: StudyRecord): string {
  const svg = progressFigure(record);
  if (svg === undefined) return "";
  const quoted = record.remeasurements.some(({ result }) => result !== undefined)
    ? "; the bar on the right is what re-measurement left of it"
    : "";
  const lead =
    `${record.launches} launches in ${formatDuration(record.elapsedSeconds)} of study time. The line ` +
    `is the incumbent as the search saw it${quoted}.`;
  const ended =
    record.searchEnded === undefined
      ? ""
      : `<p class="key">The search ended: ${escapeXml(record.searchEnded)}.</p>`;
  return section("Progress", lead, figureBlock(svg) + ended);
}

function noiseSection(record: StudyRecord): string {
  const svg = noiseFigure(record);
  if (svg === undefined || record.calibration === undefined) return "";
  const lead =
    `Before the search, the defaults were measured against themselves. ` +
    `${record.calibration.sentence}`;
  return section("Noise of the machine", lead, figureBlock(svg));
}
