/**
 * Pieces of HTML. Every text passes through `escape`: names and reasons come from journals, which
 * strangers may have written.
 */
import { escapeXml } from "./svg.ts";

export const escape = escapeXml;

export interface Cell {
  /** Markup. */
  readonly html: string;
  readonly className?: string | undefined;
  readonly header?: boolean | undefined;
  readonly span?: number | undefined;
}

export function text(value: string, className?: string): Cell {
  return { html: escape(value), className };
}

export function markup(html: string, className?: string): Cell {
  return { html, className };
}

export interface TableRow {
  readonly cells: readonly Cell[];
  readonly className?: string | undefined;
}

export function table(
  heads: readonly TableRow[],
  rows: readonly TableRow[],
  caption: string,
  dense = false,
): string {
  const write = (row: TableRow, head: boolean) => {
    const cells = row.cells.map((cell) => writeCell(cell, head)).join("");
    return `<tr${attribute("class", row.className)}>${cells}</tr>`;
  };
  return (
    `<div class="scroll" tabindex="0" role="region" aria-label="${escape(caption)}">` +
    `<table class="wide${dense ? " dense" : ""}">` +
    `<thead>${heads.map((row) => write(row, true)).join("")}</thead>` +
    `<tbody>${rows.map((row) => write(row, false)).join("")}</tbody></table></div>`
  );
}

export function section(title: string, lead: string, body: string): string {
  const intro = lead === "" ? "" : `<p class="lead">${escape(lead)}</p>`;
  return `<section><h2>${escape(title)}</h2>${intro}${body}</section>`;
}

export function figureBlock(svg: string): string {
  return `<figure><div class="scroll" tabindex="0"><div class="wide">${svg}</div></div></figure>`;
}

export function pairs(facts: readonly (readonly [name: string, value: string])[]): string {
  const items = facts.map(([name, value]) => `<dt>${escape(name)}</dt><dd>${escape(value)}</dd>`);
  return `<dl class="pairs">${items.join("")}</dl>`;
}

function writeCell(cell: Cell, head: boolean): string {
  const name = head || cell.header === true ? "th" : "td";
  const scope =
    name === "th"
      ? attribute("scope", head ? (cell.span === undefined ? "col" : "colgroup") : "row")
      : "";
  const span = cell.span === undefined ? "" : ` colspan="${cell.span}"`;
  return `<${name}${scope}${attribute("class", cell.className)}${span}>${cell.html}</${name}>`;
}

function attribute(name: string, value: string | undefined): string {
  return value === undefined || value === "" ? "" : ` ${name}="${escape(value)}"`;
}
