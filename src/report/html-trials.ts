/**
 * Every trial with its verdict: also those that came to nothing, for they are most of what a study
 * learns.
 */
import { formatChange, formatDuration, knobChanges, shortName } from "./format.ts";
import { escape, markup, section, table, text } from "./html-text.ts";
import type { StudyRecord, TrialRecord } from "./study-record.ts";

export function trialSection(record: StudyRecord): string {
  if (record.trials.length === 0) return "";
  const heads = [
    "",
    "Change against the incumbent",
    "Screening",
    "Confirmation",
    "Outcome",
    "Reason",
    "Time",
  ];
  const headCells = heads.map((head, index) =>
    text(head, [2, 3, 6].includes(index) ? "number" : undefined),
  );
  const rows = record.trials.map((trial) => trialRow(record, trial));
  const kept = record.trials.filter(({ ended }) => ended?.outcome === "kept").length;
  const confirmations = record.trials.filter(
    ({ confirmationDecision }) => confirmationDecision !== undefined,
  ).length;
  const lead =
    `${record.trials.length} candidates, ${confirmations} confirmations, ${kept} kept. Together the ` +
    "confirmations may keep a candidate without a gain with a probability of at most " +
    `${(record.header.alpha * 100).toFixed(0)} %.`;
  return section(
    "Every trial",
    lead,
    table([{ cells: headCells }], rows, "Every trial and its verdict"),
  );
}

function trialRow(record: StudyRecord, trial: TrialRecord) {
  const outcome = trial.ended?.outcome ?? "unfinished";
  const changes = knobChanges(trial.candidate, trial.incumbent, record.definition.space.table)
    .map(({ name, from, to }) => {
      const arrow = '<span class="arrow">→</span>';
      const values = `<span class="together">${escape(from)}${arrow}${escape(to)}</span>`;
      const shown = `${escape(shortName(name))} ${values}`;
      return `<span class="change" title="${escape(name)}">${shown}</span>`;
    })
    .join("");
  const estimate = trial.screeningDecision?.estimate;
  return {
    className: outcome === "kept" ? "kept" : undefined,
    cells: [
      text(String(trial.number), "soft"),
      markup(changes, "changes"),
      text(estimate === undefined ? "–" : formatChange(Math.exp(estimate)), "number"),
      text(confirmationText(trial), "number"),
      text(outcome, `outcome ${outcome}`),
      text(trial.ended?.reason ?? "the study stopped before its end", "soft"),
      text(formatDuration(trial.endedAt - trial.startedAt), "number soft"),
    ],
  };
}

function confirmationText(trial: TrialRecord): string {
  const test = trial.confirmationDecision?.test;
  if (test === undefined || test.logRatios.length === 0)
    return trial.confirmation.length > 0 ? "broken off" : "–";
  const estimate = test.logRatios.reduce((sum, one) => sum + one, 0) / test.logRatios.length;
  return `${formatChange(Math.exp(estimate))} in ${trial.confirmation.length}`;
}
