/**
 * The picture of a plan: layers as columns, left to right in the order of building; an SVG that stands alone.
 *
 * A stripe says to which module a leaf belongs. A contract is a double-lined box that lists its members; each member
 * carries the contract's number. Lines go from what is needed to what needs it; those that others imply are left out.
 */
import { formatWhy } from "../foundry/plan/contract-spec.ts";
import type { ContractNode } from "../foundry/plan/decycle.ts";
import type { Plan } from "../foundry/plan/plan.ts";
import { themeStyle } from "./figure-style.ts";
import { type Box, layOut, type LayoutNode, type Line, withoutImplied } from "./plan-layout.ts";
import { element, escapeXml, fit, hint, label } from "./svg.ts";

const margin = 24;
const headHeight = 78;
const leafHeight = 31;
const memberHeight = 12;
/** Per character; a guess on the wide side. */
const titleWidth = 10.5;
/** Bold letters of 11 pixels are as wide as plain ones of this size. */
const boldSize = 13;
const [widthMin, widthMax] = [84, 220];

/** Told apart in light and dark; the module's name stands in the legend and in the hint of each box. */
const moduleColours: Readonly<Record<string, string>> = {
  architecture: "#8a63c9", concurrency: "#d2691e", core: "#6b7785", indexing: "#2a9d8f", parser: "#c2447a",
  query_processing: "#3b78d8", recovery: "#b8860b", replication: "#4d9a3a", storage: "#1f8fb3", value_types: "#a0522d",
};

const contractColours = ["#d1495b", "#00798c", "#9a6a00", "#5f4bb6", "#2e7d32", "#b5179e", "#3d5a80", "#bc4b00"];

const style = `
.plan{font:11px/1.3 ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,Helvetica,Arial,sans-serif}
.plan text{fill:var(--ink)} .plan .soft{fill:var(--soft)} .plan .small{font-size:9.5px} .plan .strong{font-weight:600}
.plan .title{font-size:17px;font-weight:600}
.plan .column{fill:var(--panel)}
.plan .box{fill:var(--paper);stroke:var(--rule);stroke-width:1}
.plan .contract{fill:var(--paper);stroke-width:1.6}
.plan path{fill:none} .plan .requires{stroke:var(--soft);stroke-width:1.1;stroke-opacity:.75}
.plan .reference{stroke:var(--faint);stroke-width:1;stroke-dasharray:4 3;stroke-opacity:.8}
.plan .joins{stroke-width:1.3;stroke-opacity:.6}
.plan .awaits{stroke:var(--tuned);stroke-width:1.5;stroke-opacity:.8}
.plan .mark{font-size:9px;font-weight:700;fill:#fff;text-anchor:middle}`;

export function drawPlan(plan: Plan): string {
  const nodes = plan.layers.map((paths) => paths.map((path) => sizeOf(path, plan)));
  const drawn = withoutImplied(plan.edges);
  const layout = layOut(nodes, drawn);
  const legendLines = legend(plan, drawn.length);
  const width = Math.max(layout.width + 2 * margin, 900);
  const bottom = headHeight + layout.height + 26;
  const height = bottom + legendHeight + margin;
  const columns = layout.columns.map(({ x, width: wide }, at) => {
    const box = { x: x + margin - 10, y: headHeight - 26, width: wide + 20, height: layout.height + 36, rx: 6 };
    const name = label(x + margin, headHeight - 10, `Layer ${at + 1}`, { class: "strong soft" });
    return element("rect", { ...box, class: "column" }) + name;
  });
  const lines = layout.lines.map((line) => drawLine(line, plan)).join("");
  const boxes = layout.boxes.map((box) => drawBox(box, plan)).join("");
  const shifted = element("g", { transform: `translate(${margin} ${headHeight})` }, lines + boxes);
  const body = [
    element("rect", { width, height, fill: "var(--paper)" }),
    label(margin, 26, plan.name, { class: "title" }),
    label(margin + plan.name.length * titleWidth + 16, 26, summary(plan), { class: "soft" }),
    ...columns,
    shifted,
    element("g", { transform: `translate(${margin} ${bottom})` }, legendLines),
  ];
  const title = element("title", {}, escapeXml(`The plan of ${plan.name}`));
  const titles = title + element("desc", {}, escapeXml(summary(plan)));
  const root = { xmlns: "http://www.w3.org/2000/svg", width, height, viewBox: `0 0 ${width} ${height}`, role: "img" };
  const content = `${titles}<style>${themeStyle}${style}</style>${body.join("")}`;
  return `${element("svg", { ...root, class: "plan" }, content)}\n`;
}

function summary(plan: Plan): string {
  const { leaves, cooperateEdges, contracts, mergedNodes, mode, layers, hash } = plan;
  const merged = `${contracts} contracts, ${mergedNodes} nodes merged`;
  const layered = `${layers.length} layers ${mode === "waves" ? "by waves" : "strictly"}`;
  return `${leaves} leaves, ${cooperateEdges} cooperate edges, ${merged}; ${layered}; hash ${hash.slice(0, 12)}`;
}

function contractAt(plan: Plan, path: string): number {
  return plan.contractNodes.findIndex((contract) => contract.path === path);
}

function contractOfMember(plan: Plan, leaf: string): number {
  return plan.contractNodes.findIndex(({ members }) => members.includes(leaf));
}

function colourOf(contract: number): string {
  return contractColours[contract % contractColours.length];
}

function sizeOf(path: string, plan: Plan): LayoutNode {
  const contract = plan.contractNodes[contractAt(plan, path)];
  const small = contract === undefined ? [parentOf(path)] : contract.members.map(shortName);
  const discs = contract !== undefined || contractOfMember(plan, path) >= 0 ? 20 : 0;
  const longest = Math.max(lastName(path).length * 6.9 + discs, ...small.map((text) => text.length * 5.2));
  const width = Math.min(widthMax, Math.max(widthMin, Math.round(longest) + 20));
  const height = contract === undefined ? leafHeight : 37 + contract.members.length * memberHeight;
  return { path, width, height };
}

function lastName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function parentOf(path: string): string {
  return path.split("/").slice(1, -1).join("/");
}

/** The last two names. */
function shortName(path: string): string {
  return path.split("/").slice(-2).join("/");
}

function drawBox(box: Box, plan: Plan): string {
  const at = contractAt(plan, box.path);
  return at < 0 ? drawLeaf(box, plan) : drawContract(box, plan.contractNodes[at], at);
}

function drawLeaf({ path, x, y, width, height }: Box, plan: Plan): string {
  const module = path.split("/")[0];
  const contract = contractOfMember(plan, path);
  const member = contract < 0 ? "" : `, member of ${plan.contractNodes[contract].path}`;
  const parts = [
    hint(`${path}${member}`),
    element("rect", { x, y, width, height, rx: 4, class: "box" }),
    element("rect", { x, y, width: 4, height, rx: 2, fill: moduleColours[module] ?? "var(--faint)" }),
    label(x + 10, y + 13, fit(lastName(path), width - (contract < 0 ? 14 : 28), boldSize), { class: "strong" }),
    label(x + 10, y + 25, fitStart(parentOf(path) || module, width - 14), { class: "soft small" }),
  ];
  if (contract >= 0) parts.push(mark(x + width - 10, y + 10, contract));
  return element("g", {}, parts.join(""));
}

function drawContract({ path, x, y, width, height }: Box, contract: ContractNode, at: number): string {
  const colour = colourOf(at);
  const inner = { stroke: colour, "stroke-opacity": 0.4 };
  const form = `${contract.members.length} members, ${contract.form === "unit" ? "one unit" : "glue"}`;
  const parts = [
    hint(`${path}: ${formatWhy(contract)}`),
    element("rect", { x, y, width, height, rx: 6, class: "contract", stroke: colour }),
    element("rect", { x: x + 3, y: y + 3, width: width - 6, height: height - 6, rx: 4, fill: "none", ...inner }),
    mark(x + 14, y + 14, at),
    label(x + 24, y + 17, fit(lastName(path), width - 28, boldSize), { class: "strong" }),
    label(x + 9, y + 29, form, { class: "soft small" }),
    ...contract.members.map((member, row) =>
      label(x + 9, y + 41 + row * memberHeight - 1, fitStart(shortName(member), width - 14), { class: "small" }),
    ),
  ];
  return element("g", {}, parts.join(""));
}

function mark(x: number, y: number, contract: number): string {
  const disc = element("circle", { cx: x, cy: y, r: 6.5, fill: colourOf(contract) });
  return disc + label(x, y + 3.2, String(contract + 1), { class: "mark" });
}

/** The end of a path says most, so it is cut at its start. */
function fitStart(text: string, width: number): string {
  const characters = Math.floor(width / (9.5 * 0.53));
  return text.length <= characters ? text : `…${text.slice(text.length - characters + 1)}`;
}

function drawLine(line: Line, plan: Plan): string {
  const contract = line.kind === "joins" ? contractAt(plan, line.from) : -1;
  const stroke = contract < 0 ? undefined : colourOf(contract);
  const says = hint(`${line.from} ${verbs[line.kind]} ${line.to}`);
  return element("path", { d: pathOf(line), class: line.kind, stroke }, says);
}

const verbs: Readonly<Record<string, string>> = {
  requires: "requires", reference: "refers to", joins: "joins", awaits: "builds on",
};

function pathOf({ points, beside }: Line): string {
  const round = (value: number) => Math.round(value * 10) / 10;
  const [[x, y], ...others] = points.map(([px, py]) => [round(px), round(py)] as const);
  if (beside) {
    const [endX, endY] = others[0];
    const bulge = Math.max(x, endX) + 22;
    return `M${x} ${y}C${bulge} ${y} ${bulge} ${endY} ${endX} ${endY}`;
  }
  let path = `M${x} ${y}`;
  let [lastX, lastY] = [x, y];
  for (const [nextX, nextY] of others) {
    const half = round((lastX + nextX) / 2);
    path += nextY === lastY ? `H${nextX}` : `C${half} ${lastY} ${half} ${nextY} ${nextX} ${nextY}`;
    [lastX, lastY] = [nextX, nextY];
  }
  return path;
}

const legendHeight = 66;

function legend(plan: Plan, drawn: number): string {
  const present = new Set(plan.layers.flat().map((path) => path.split("/")[0]));
  const modules = Object.keys(moduleColours).filter((name) => present.has(name));
  let x = 0;
  const first = modules.map((name) => {
    const stripe = element("rect", { x, y: 0, width: 4, height: 14, rx: 2, fill: moduleColours[name] });
    const part = stripe + label(x + 9, 11, name);
    x += 24 + name.length * 6.2;
    return part;
  });
  x = 0;
  const kinds = [
    ["requires", "requires"], ["reference", "reference (agrees with)"], ["joins", "member to its contract"],
    ["awaits", "builds on the joint protocol"],
  ];
  const second = kinds.map(([kind, text]) => {
    const stroke = kind === "joins" ? contractColours[0] : undefined;
    const part = element("path", { d: `M${x} 32H${x + 30}`, class: kind, stroke }) + label(x + 36, 36, text);
    x += 60 + text.length * 5.9;
    return part;
  });
  const note =
    `Left to right in the order of building. ${drawn} of ${plan.edges.length} edges are drawn, the others follow. ` +
    "A numbered disc marks the members of the contract with that number.";
  return [...first, ...second, label(0, 58, note, { class: "soft" })].join("");
}
