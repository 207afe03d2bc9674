/**
 * Drawing with SVG text: elements, scales and ticks. No dependency and no script: a figure is a
 * string that a browser, a README and a printer show alike. Colours are classes and variables, so
 * that light and dark are the page's affair (`figure-style.ts`).
 */
export type Attributes = Readonly<Record<string, string | number | undefined>>;

export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/**
 * One element; numbers are rounded to a tenth, which no screen can tell. `content` is markup, not
 * text.
 */
export function element(name: string, attributes: Attributes, content = ""): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(
      ([key, value]) =>
        ` ${key}="${typeof value === "number" ? round(value) : escapeXml(String(value))}"`,
    )
    .join("");
  return content === "" ? `<${name}${written}/>` : `<${name}${written}>${content}</${name}>`;
}

export function label(x: number, y: number, text: string, attributes: Attributes = {}): string {
  return element("text", { x, y, ...attributes }, escapeXml(text));
}

export function line(x1: number, y1: number, x2: number, y2: number, className: string): string {
  return element("line", { x1, y1, x2, y2, class: className });
}

/** What a pointer over a shape shows, and what a screen reader says. */
export function hint(text: string): string {
  return element("title", {}, escapeXml(text));
}

export interface FigureOptions {
  readonly width: number;
  readonly height: number;
  /** What the figure is, and what it says; for those who cannot see it. */
  readonly title: string;
  readonly description: string;
}

export function figure({ width, height, title, description }: FigureOptions, body: string): string {
  const text = element("title", {}, escapeXml(title)) + element("desc", {}, escapeXml(description));
  return element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      viewBox: `0 0 ${width} ${round(height)}`,
      role: "img",
      class: "figure",
    },
    text + body,
  );
}

export interface Scale {
  (value: number): number;
  readonly domain: readonly [low: number, high: number];
}

export function linearScale(
  domain: readonly [number, number],
  range: readonly [number, number],
): Scale {
  const [low, high] = domain;
  const span = high - low || 1;
  return Object.assign(
    (value: number) => range[0] + ((value - low) / span) * (range[1] - range[0]),
    { domain },
  );
}

export function logScale(
  domain: readonly [number, number],
  range: readonly [number, number],
): Scale {
  const inner = linearScale([Math.log(domain[0]), Math.log(domain[1])], range);
  return Object.assign((value: number) => inner(Math.log(value)), { domain });
}

/** Round values that divide a range into about `count` steps. */
export function ticks([low, high]: readonly [number, number], count: number): number[] {
  const rough = (high - low) / count;
  if (!(rough > 0) || !Number.isFinite(rough)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 2.5, 5].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  );
}

/** 1, 2 and 5 times powers of ten within a range. */
export function logTicks([low, high]: readonly [number, number]): number[] {
  const found: number[] = [];
  for (let power = 10 ** Math.floor(Math.log10(low)); power <= high; power *= 10) {
    for (const factor of [1, 2, 5])
      if (factor * power >= low && factor * power <= high) found.push(factor * power);
  }
  return found;
}

/**
 * Text that fits into `width` pixels at a font size of `size`; a guess of 0.53 em per character.
 */
export function fit(text: string, width: number, size = 12): string {
  const characters = Math.floor(width / (size * 0.53));
  return text.length <= characters
    ? text
    : `${text.slice(0, Math.max(1, characters - 1)).trimEnd()}…`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
