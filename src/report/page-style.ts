/**
 * The page of a report: one column, quiet, for screen, phone and paper. Figures have their own
 * style (`figure-style.ts`).
 */
export const pageStyle = `
*{box-sizing:border-box}
figure{margin:0} body{margin:0;background:var(--paper);color:var(--ink);
  font:16px/1.55 ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,Helvetica,Arial,sans-serif;
  font-variant-numeric:tabular-nums;-webkit-text-size-adjust:100%}
main{max-width:60rem;margin:0 auto;padding:3.2rem 1.25rem 4rem}
a{color:var(--tuned);text-underline-offset:.15em}
.over{color:var(--soft);font-size:.85rem;letter-spacing:.01em;margin:0 0 .9rem;max-width:none}
h1{font-size:clamp(1.9rem,5.2vw,2.9rem);line-height:1.12;letter-spacing:-.022em;font-weight:680;
  margin:0 0 .6rem}
h1.gain{color:var(--good)} h1.refused{color:var(--bad)}
.detail{font-size:1.12rem;line-height:1.5;max-width:44rem;margin:0;color:var(--ink)}
h2{font-size:1.22rem;line-height:1.3;letter-spacing:-.008em;font-weight:650;margin:3.4rem 0 .35rem}
h2+p{margin-top:0} p{max-width:44rem} .lead{color:var(--soft);margin:.2rem 0 1.1rem}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.3rem,1fr));gap:1.1rem 1.2rem;
  margin:2.2rem 0 0;padding:1.25rem 0;
  border-top:1px solid var(--rule);border-bottom:1px solid var(--rule)}
.facts dt{color:var(--soft);font-size:.84rem} .facts dd{margin:0}
.facts .value{font-size:1.42rem;font-weight:620;letter-spacing:-.015em;line-height:1.3}
.facts .range{color:var(--soft);font-size:.82rem;display:block;white-space:nowrap}
.scroll{overflow-x:auto;margin:0 -1.25rem;padding:0 1.25rem .3rem}
.scroll:focus-visible{outline:2px solid var(--tuned);outline-offset:-2px}
.wide{min-width:46rem}
table{border-collapse:collapse;width:100%;font-size:.875rem;line-height:1.4}
table.dense{font-size:.82rem} table.dense th,table.dense td{padding-right:.4rem}
table.dense .first{padding-left:.6rem}
th{font-weight:600;text-align:left;color:var(--soft);font-size:.82rem;vertical-align:bottom}
th,td{padding:.42rem .7rem .42rem 0;border-bottom:1px solid var(--rule);vertical-align:top}
th:last-child,td:last-child{padding-right:0}
tbody th{color:var(--ink);font-weight:500;font-size:inherit}
thead th{border-bottom-color:var(--faint)}
.number{text-align:right;white-space:nowrap}
.group{text-align:center;border-bottom-color:var(--rule)}
td.first,th.first{padding-left:1.1rem;border-left:1px solid var(--rule)}
td.tuned{color:var(--tuned);font-weight:600}
tr.total td,tr.total th{font-weight:600;color:var(--ink);border-bottom-color:var(--faint)}
tr.kept td{background:var(--band)}
tr.kept td:first-child{box-shadow:inset 3px 0 0 var(--tuned);padding-left:.7rem}
.soft{color:var(--soft)} .name,.together{white-space:nowrap} .changes{min-width:15.5rem}
.outcome{white-space:nowrap;font-weight:600}
.outcome.dropped,.outcome.unfinished{color:var(--soft);font-weight:400}
.outcome.kept,.verdict.admit{color:var(--good)}
.outcome.rejected,.outcome.failed,.verdict.reject,.verdict.inconclusive{color:var(--bad)}
.verdict{font-weight:600;white-space:nowrap}
code,pre{font:.86em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
pre{background:var(--panel);border:1px solid var(--rule);border-radius:4px;padding:.85rem 1rem;
  overflow-x:auto;margin:.7rem 0}
.change{display:block} .change .arrow{color:var(--faint);padding:0 .25em}
details{margin:.25rem 0} summary{cursor:pointer;color:var(--soft);font-size:.86rem}
dl.pairs{display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1.6rem;font-size:.9rem;
  margin:.6rem 0}
dl.pairs dt{color:var(--soft)} dl.pairs dd{margin:0;overflow-wrap:anywhere}
.key{color:var(--soft);font-size:.84rem;margin:.7rem 0 0;max-width:none}
.key span{margin-right:1.3em;white-space:nowrap}
.key svg{width:14px;height:14px;display:inline-block;vertical-align:-2px;margin-right:.35em}
footer{margin-top:4rem;padding-top:1rem;border-top:1px solid var(--rule);color:var(--soft);
  font-size:.82rem;overflow-wrap:anywhere}
@media (max-width:34rem){main{padding-top:1.9rem} h2{margin-top:2.6rem}
dl.pairs{grid-template-columns:1fr;gap:0 0} dl.pairs dd{margin-bottom:.5rem}}
@media print{main{max-width:none;padding:0} body{font-size:10.5pt}
h2{break-after:avoid;margin-top:1.6rem} table,figure,.facts{break-inside:avoid}
  tr{break-inside:avoid} .scroll{overflow:visible;margin:0;padding:0} .wide{min-width:0}
details::details-content{content-visibility:visible;display:block}}
`;
