/**
 * Pictures of the feature model in FODA notation, as SVG that stands alone: a tree of a module or of a selection, and
 * the neighbourhood of one feature.
 *
 * A tree grows from left to right, one leaf per row. A filled circle at a feature: mandatory; a hollow one: optional.
 * An open arc over the lines of a group: exactly one of them (xor); a filled one: at least one (or). What is deeper
 * than asked for is folded into a count. A neighbourhood has the feature in the middle, with its way up to the root;
 * on its left what points at it, on its right what it points at; what it excludes or cooperates with fills the shorter
 * side.
 * Source of the notation: FODA (Kang and others 1990), groups as in FeatureIDE.
 */
import type { Edge, Feature, Group } from "../model/feature.ts";
import type { FeatureModel } from "../model/feature-model.ts";
import { themeStyle } from "./figure-style.ts";
import { element, escapeXml, fit, hint, label } from "./svg.ts";

const margin = 24;
const headHeight = 74;
const legendHeight = 34;
const rowHeight = 24;
const boxHeight = 18;
const columnGap = 84;
const letterWidth = 6.9;
const boldLetterWidth = 7.8;
const smallLetterWidth = 5.1;
const arcRadius = 26;

const style = `
.model{font:11px/1.3 ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,Helvetica,Arial,sans-serif}
.model text{fill:var(--ink)} .model .soft{fill:var(--soft)} .model .small{font-size:9.5px}
.model .title{font-size:17px;font-weight:600} .model .strong{font-weight:600}
.model .leaf{fill:var(--paper);stroke:var(--faint)} .model .group{fill:var(--panel);stroke:var(--faint)}
.model .marked{stroke:#1f8fb3;stroke-width:1.8} .model .folded{stroke-dasharray:3 2}
.model .link{stroke:var(--soft);stroke-width:1;fill:none}
.model .solid{fill:var(--ink);stroke:var(--ink)} .model .hollow{fill:var(--paper);stroke:var(--ink);stroke-width:1.2}
.model .arc{stroke:var(--ink);stroke-width:1} .model .xor{fill:var(--paper)} .model .or{fill:var(--ink)}
.model .requires{stroke:#3b78d8} .model .mutex{stroke:#d1495b} .model .reference{stroke:#6b7785;stroke-dasharray:5 3}
.model .cooperate{stroke:#2e8b57;stroke-width:2} .model .edge{fill:none;stroke-width:1.5}`;

export interface TreeOptions {
  /** Levels below the top that are drawn; the rest is folded. */
  readonly depth: number;
  /** Only these and what is above them; all where left out. */
  readonly selected?: ReadonlySet<string>;
  /** Features with a thick border: those that a part implements. */
  readonly marked: ReadonlySet<string>;
  readonly title: string;
}

interface Placed {
  readonly feature: Feature;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly folded: number;
  readonly children: readonly Placed[];
}

export function drawTree(model: FeatureModel, top: string, options: TreeOptions): string {
  const columns = columnsOf(model, top, options);
  let row = 0;
  const place = (feature: Feature, depth: number): Placed => {
    const shown = childrenOf(model, feature, options);
    const folded = depth >= options.depth && shown.length > 0 ? leavesBelow(model, feature.path, options) : 0;
    const children = folded > 0 ? [] : shown.map((child) => place(child, depth + 1));
    const y = children.length === 0
      ? headHeight + row++ * rowHeight + rowHeight / 2
      : (children[0].y + children[children.length - 1].y) / 2;
    return { feature, x: columns[depth], y, width: boxWidth(boxText(feature, folded), feature.kind), folded, children };
  };
  const root = place(model.feature(top), 0);
  const width = Math.max(widthOf(root) + margin, 620);
  const leaves = leavesBelow(model, top, options);
  const summary = `${leaves} ${leaves === 1 ? "leaf" : "leaves"}`;
  const height = headHeight + row * rowHeight + legendHeight + margin;
  const marks = options.marked.size > 0 ? "blue border: a part of Lathe implements it" : "";
  return page(width, height, options.title, summary, [
    ...linksOf(model, root),
    ...boxesOf(root, options.marked),
    legend(height - legendHeight, marks),
  ]);
}

function childrenOf(model: FeatureModel, feature: Feature, { selected }: TreeOptions): Feature[] {
  const children = feature.children.map((child) => model.feature(child));
  return selected === undefined ? children : children.filter(({ path }) => selected.has(path));
}

function leavesBelow(model: FeatureModel, path: string, { selected }: TreeOptions): number {
  return model.leavesBelow(path).filter((leaf) => selected === undefined || selected.has(leaf.path)).length;
}

function columnsOf(model: FeatureModel, top: string, options: TreeOptions): number[] {
  const widths: number[] = [];
  const visit = (feature: Feature, depth: number): void => {
    if (depth > options.depth) return;
    const folded = depth === options.depth ? leavesBelow(model, feature.path, options) : 0;
    const own = boxWidth(boxText(feature, feature.kind === "leaf" ? 0 : folded), feature.kind);
    widths[depth] = Math.max(widths[depth] ?? 0, own);
    for (const child of childrenOf(model, feature, options)) visit(child, depth + 1);
  };
  visit(model.feature(top), 0);
  let x = margin;
  return widths.map((width) => {
    const own = x;
    x += width + columnGap;
    return own;
  });
}

function widthOf({ x, width, children }: Placed): number {
  return Math.max(x + width, ...children.map(widthOf));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function boxText(feature: Feature, folded: number): string {
  return folded > 0 ? `${nameOf(feature.path)} (${folded})` : nameOf(feature.path);
}

/** Names of groups are bold. */
function boxWidth(text: string, kind: Feature["kind"]): number {
  return text.length * (kind === "group" ? boldLetterWidth : letterWidth) + 14;
}

function boxesOf(root: Placed, marked: ReadonlySet<string>): string[] {
  const { feature, x, y, width, folded, children } = root;
  const classes = [
    feature.kind, ...(marked.has(feature.path) ? ["marked"] : []), ...(folded > 0 ? ["folded"] : []),
  ].join(" ");
  const box = { x, y: y - boxHeight / 2, width, height: boxHeight, rx: 3, class: classes };
  const text = label(x + 7, y + 4, boxText(feature, folded), feature.kind === "group" ? { class: "strong" } : {});
  const shape = element("rect", box);
  const about = hint(`${feature.path}: ${feature.description}`);
  return [element("g", {}, about + shape + text), ...children.flatMap((child) => boxesOf(child, marked))];
}

/** Lines from a parent to its children, the arc of each group, and the circle at each child. */
function linksOf(model: FeatureModel, parent: Placed): string[] {
  const startX = parent.x + parent.width;
  const lines = parent.children.map((child) => {
    const end = { x2: child.x - (plain(child.feature) ? 4 : 0), y2: child.y };
    return element("line", { x1: startX, y1: parent.y, ...end, class: "link" });
  });
  const groups = Map.groupBy(parent.children, ({ feature }) => feature.group);
  const arcs = [...groups].flatMap(([number, members]) => {
    const group = number === undefined ? undefined : model.groups[number];
    const counted = group !== undefined && !["mandatory", "optional"].includes(group.relation);
    return counted ? [arcOf(group, startX, parent.y, members)] : [];
  });
  const circles = parent.children.filter(({ feature }) => plain(feature)).map(({ feature, x, y }) => {
    const filled = feature.relation === "mandatory" ? "solid" : "hollow";
    return element("circle", { cx: x - 4, cy: y, r: 3.6, class: filled });
  });
  return [...lines, ...arcs, ...circles, ...parent.children.flatMap((child) => linksOf(model, child))];
}

function plain({ relation }: Feature): boolean {
  return relation === "mandatory" || relation === "optional";
}

/** The arc over a group's lines: hollow for xor, filled for or; a counted group shows its bounds. */
function arcOf(group: Group, x: number, y: number, members: readonly Placed[]): string {
  const ends = [members[0], members[members.length - 1]];
  const angles = ends.map((child) => Math.atan2(child.y - y, child.x - x));
  if (members.length === 1) {
    angles[0] -= 0.35;
    angles[1] += 0.35;
  }
  const points = angles.map((angle) => ({ x: x + arcRadius * Math.cos(angle), y: y + arcRadius * Math.sin(angle) }));
  const path = `M${at(x, y)} L${at(points[0].x, points[0].y)} ` +
    `A${arcRadius} ${arcRadius} 0 0 1 ${at(points[1].x, points[1].y)} Z`;
  const shape = element("path", { d: path, class: `arc ${group.relation === "or" ? "or" : "xor"}` });
  const counted = label(x + 6, y - 6, `${group.min}..${group.max}`, { class: "small" });
  return element("g", {}, hint(groupHint(group)) + shape) + (group.relation === "cardinality" ? counted : "");
}

function groupHint({ relation, min, max, parent }: Group): string {
  const amount = { xor: "exactly one", or: "at least one" }[relation as "xor" | "or"] ?? `${min} to ${max}`;
  return `${amount} of the group below ${parent}`;
}

function at(x: number, y: number): string {
  return `${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}`;
}

function legend(y: number, marks: string): string {
  const parts = [
    element("circle", { cx: margin + 5, cy: y, r: 3.6, class: "solid" }) + label(margin + 14, y + 4, "mandatory"),
    element("circle", { cx: margin + 85, cy: y, r: 3.6, class: "hollow" }) + label(margin + 94, y + 4, "optional"),
    element("path", { d: sector(margin + 158, y), class: "arc xor" }) + label(margin + 178, y + 4, "exactly one"),
    element("path", { d: sector(margin + 258, y), class: "arc or" }) + label(margin + 278, y + 4, "at least one"),
    label(margin + 362, y + 4, ["(n): leaves folded", ...(marks === "" ? [] : [marks])].join(" · "), { class: "soft" }),
  ];
  return element("g", {}, parts.join(""));
}

function sector(x: number, y: number): string {
  return `M${at(x, y)} L${at(x + 12, y - 7)} A14 14 0 0 1 ${at(x + 12, y + 7)} Z`;
}

function page(width: number, height: number, title: string, summary: string, parts: readonly string[]): string {
  const body = [
    element("rect", { width, height, fill: "var(--paper)" }),
    label(margin, 30, title, { class: "title" }),
    label(margin, 50, summary, { class: "soft" }),
    ...parts,
  ].join("");
  const size = { width, height, viewBox: `0 0 ${width} ${height}` };
  const root = { xmlns: "http://www.w3.org/2000/svg", ...size, role: "img", class: "model figure" };
  const named = `<title>${escapeXml(title)}</title><desc>${escapeXml(summary)}</desc>`;
  return `${element("svg", root, `${named}<style>${themeStyle}${style}</style>${body}`)}\n`;
}

interface Neighbour {
  readonly path: string;
  readonly edge: Edge;
}

const [neighbourWidthMin, neighbourWidthMax] = [360, 520];
const neighbourHeight = 46;

export function drawNeighbourhood(model: FeatureModel, path: string, marked: ReadonlySet<string>): string {
  const feature = model.feature(path);
  const points = ({ kind }: Edge) => kind === "requires" || kind === "reference";
  const directed = (edges: readonly Edge[]) => edges.filter(points);
  const incoming = directed(model.edgesTo(path)).map((edge): Neighbour => ({ path: edge.from, edge }));
  const outgoing = directed(model.edgesFrom(path)).map((edge): Neighbour => ({ path: edge.to, edge }));
  const mutual = [...model.edgesFrom(path), ...model.edgesTo(path)].filter((edge) => !points(edge));
  const beside = mutual.map((edge): Neighbour => ({ path: edge.from === path ? edge.to : edge.from, edge }));
  // Symmetric neighbours fill the shorter side.
  const [left, right] = [[...incoming], [...outgoing]];
  for (const one of beside) (left.length < right.length ? left : right).push(one);
  const wanted = [...left, ...right].map((one) => {
    return Math.max(one.path.length * boldLetterWidth, reasonOf(one).length * smallLetterWidth) + 24;
  });
  const neighbourWidth = Math.min(neighbourWidthMax, Math.max(neighbourWidthMin, ...wanted));
  const ancestors = model.ancestors(path).reverse();
  const chainHeight = ancestors.length * rowHeight;
  const rows = Math.max(left.length, right.length, 1);
  const middle = headHeight + chainHeight + 18 + (rows * neighbourHeight) / 2;
  const centreWidth = Math.max(boxWidth(nameOf(path), "group") + 20, 150);
  const leftX = margin;
  const centreX = leftX + neighbourWidth + 110;
  const rightX = centreX + centreWidth + 110;
  const width = rightX + neighbourWidth + margin;
  const bottom = Math.max(middle + (rows * neighbourHeight) / 2, middle + 40);
  const height = bottom + legendHeight + margin;
  const top = (count: number) => middle - (count * neighbourHeight) / 2 + neighbourHeight / 2;
  const side = (list: readonly Neighbour[], x: number, inner: number, outer: number) =>
    list.flatMap((one, index) => {
      const y = top(list.length) + index * neighbourHeight;
      const bend = (inner + outer) / 2;
      const d = `M${at(outer, y)} C${at(bend, y)} ${at(bend, middle)} ${at(inner, middle)}`;
      const box = neighbourBox(model, one, { x, y, width: neighbourWidth }, marked);
      return [element("path", { d, class: `edge ${one.edge.kind}` }), box];
    });
  const chain = ancestors.map((ancestor, index) => {
    const y = headHeight + index * rowHeight + rowHeight / 2;
    const x = centreX + centreWidth / 2;
    const end = index === ancestors.length - 1 ? middle : y + rowHeight;
    const line = element("line", { x1: x, y1: y, x2: x, y2: end, class: "link" });
    const wide = boxWidth(nameOf(ancestor), "leaf");
    const box = { x: x - wide / 2, y: y - boxHeight / 2, width: wide, height: boxHeight, rx: 3, class: "group" };
    return line + element("rect", box) + label(x, y + 4, nameOf(ancestor), { "text-anchor": "middle" });
  });
  const centre = { x: centreX, y: middle - 16, width: centreWidth, height: 32, rx: 4 };
  const summary = [...(feature.description === "" ? [] : [feature.description]), countsOf(model, path)].join("; ");
  return page(width, height, path, fit(summary, width - 2 * margin), [
    ...chain,
    ...side(left, leftX, centreX, leftX + neighbourWidth),
    ...side(right, rightX, centreX + centreWidth, rightX),
    element("rect", { ...centre, class: `${feature.kind} ${marked.has(path) ? "marked" : ""}` }),
    label(centreX + centreWidth / 2, middle + 4, nameOf(path), { class: "strong", "text-anchor": "middle" }),
    edgeLegend(height - legendHeight),
  ]);
}

/** As "required by 10, requires 2, excludes 1". */
function countsOf(model: FeatureModel, path: string): string {
  const [to, from] = [model.edgesTo(path), model.edgesFrom(path)];
  const amount = (edges: readonly Edge[], kind: Edge["kind"]) => edges.filter((edge) => edge.kind === kind).length;
  const counts = [
    ["required by", amount(to, "requires")], ["requires", amount(from, "requires")],
    ["referred to by", amount(to, "reference")], ["refers to", amount(from, "reference")],
    ["excludes", amount([...to, ...from], "mutex")], ["cooperates with", amount([...to, ...from], "cooperate")],
  ] as const;
  return counts.filter(([, some]) => some > 0).map(([what, some]) => `${what} ${some}`).join(", ") || "no edges";
}

interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

function reasonOf({ edge }: Neighbour): string {
  return `${verbs[edge.kind]}: ${edge.reason}`;
}

const verbs = { requires: "requires", reference: "refers", mutex: "excludes", cooperate: "cooperates" };

function neighbourBox(model: FeatureModel, one: Neighbour, place: Place, marked: ReadonlySet<string>): string {
  const { path, edge } = one;
  const { x, y, width: neighbourWidth } = place;
  const classes = `${model.feature(path).kind} ${marked.has(path) ? "marked" : ""}`;
  const box = { x, y: y - 18, width: neighbourWidth, height: 36, rx: 3, class: classes };
  return element("g", {}, [
    hint(`${edge.from} ${edge.kind} ${edge.to}: ${edge.reason}`),
    element("rect", box),
    label(x + 8, y - 3, fit(path, neighbourWidth - 16, 13), { class: "strong" }),
    label(x + 8, y + 11, fit(reasonOf(one), neighbourWidth - 16, 9.5), { class: "soft small" }),
  ].join(""));
}

function edgeLegend(y: number): string {
  const kinds = [
    ["requires", "requires (left needs it, it needs right)"], ["reference", "refers (likewise)"], ["mutex", "excludes"],
    ["cooperate", "cooperates"],
  ] as const;
  let x = margin;
  return kinds.map(([kind, text]) => {
    const stroke = element("line", { x1: x, y1: y, x2: x + 26, y2: y, class: `edge ${kind}` });
    const drawn = stroke + label(x + 32, y + 4, text);
    x += 60 + text.length * 6;
    return drawn;
  }).join("");
}
