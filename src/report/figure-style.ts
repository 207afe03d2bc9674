/**
 * Colours and line styles of every figure, for light and dark. Chosen to be told apart without red
 * and green, and outcome is never colour alone: kept is filled, dropped is hollow, what failed is a
 * cross.
 */
const light = `
  --ink:#1c2127; --soft:#5b6570; --faint:#8a949e; --rule:#e3e6e9; --grid:#eceff1;
  --paper:#ffffff; --panel:#f6f7f8;
  --tuned:#0b62c4; --default:#6f7a85; --other:#b5590f;
  --expert:#7a3ea8; --band:#0b62c414; --good:#0b62c4; --bad:#a8323e;`;

const dark = `
  --ink:#e6e9ec; --soft:#a3adb7; --faint:#77818b; --rule:#30363d; --grid:#262c33;
  --paper:#14181c; --panel:#1b2026;
  --tuned:#6cb2ff; --default:#9aa5b0; --other:#f0a35e;
  --expert:#c79bf2; --band:#6cb2ff1f; --good:#6cb2ff; --bad:#f28b93;`;

export const themeStyle = `
:root{color-scheme:light dark;${light}}
@media (prefers-color-scheme:dark){:root{${dark}}}
@media print{:root{color-scheme:light;${light}}}`;

export const figureStyle = `
.figure{display:block;width:100%;height:auto;
  font:12px/1.3 ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,Helvetica,Arial,sans-serif;
  font-variant-numeric:tabular-nums}
.figure text{fill:var(--ink)} .figure .soft{fill:var(--soft)} .figure .strong{font-weight:600}
.figure .tick{fill:var(--faint);font-size:11px} .figure .note{fill:var(--soft);font-size:11px}
.figure .grid{stroke:var(--grid);stroke-width:1} .figure .rule{stroke:var(--rule);stroke-width:1}
.figure .zero{stroke:var(--faint);stroke-width:1}
.figure .limit{stroke:var(--faint);stroke-width:1;stroke-dasharray:4 3}
.figure .band{fill:var(--band)}
.figure .kept{fill:var(--tuned);stroke:var(--tuned)}
.figure .hollow{fill:var(--paper);stroke:var(--default);stroke-width:1.4}
.figure .faint{fill:var(--faint);fill-opacity:.45;stroke:none}
.figure .faint-kept{fill:var(--tuned);fill-opacity:.4;stroke:none}
.figure .cross{stroke:var(--bad);stroke-width:1.6;fill:none}
.figure .interval{stroke:var(--tuned);stroke-width:2;stroke-linecap:round}
.figure .path{fill:none;stroke:var(--tuned);stroke-width:2;stroke-linejoin:round}
.figure .stage{fill:var(--panel);stroke:var(--rule);stroke-width:1}
.figure .s-default{stroke:var(--default);fill:var(--default)}
.figure .s-tuned{stroke:var(--tuned);fill:var(--tuned)}
.figure .s-expert{stroke:var(--expert);fill:var(--expert)}
.figure .s-other{stroke:var(--other);fill:var(--other)}
.figure .span{stroke-width:3;stroke-linecap:round}`;

/** Class of a subject's colour. */
export function subjectClass(subject: string): string {
  return ["default", "tuned", "expert"].includes(subject) ? `s-${subject}` : "s-other";
}

const margin = 16;

/** A figure that stands alone, as in a README: with its own style, background and margin. */
export function standalone(svg: string): string {
  const style = `<style>${themeStyle}${figureStyle}</style>`;
  const opening = /viewBox="0 0 ([\d.]+) ([\d.]+)"([^>]*>)/;
  return svg.replace(opening, (_, width: string, height: string, rest: string) => {
    const [wide, tall] = [width, height].map((size) => Number(size) + 2 * margin);
    const box = `x="${-margin}" y="${-margin}" width="${wide}" height="${tall}"`;
    const background = `<rect ${box} fill="var(--paper)"/>`;
    return `viewBox="${-margin} ${-margin} ${wide} ${tall}"${rest}${style}${background}`;
  });
}
