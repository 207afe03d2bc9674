/**
 * Paths that a person may have meant: those that begin with what was typed first, then the same last name, then those
 * whose description says what was typed (as `lathe model find` looks), then few slips of the fingers, then words in
 * common.
 */
import { editDistance } from "../kit/suggestion.ts";

interface Named {
  readonly features: readonly { readonly path: string; readonly description?: string | undefined }[];
}

const wordLengthMax = 120;

/** At most `count` paths, the nearest first; ties in model order. */
export function nearestPaths(model: Named, word: string, count = 5): string[] {
  if (word === "" || word.length > wordLengthMax) return [];
  const asked = fold(word);
  const askedLast = lastName(asked);
  const askedWords = words(asked);
  const scored = model.features.map(({ path, description = "" }) => {
    const folded = fold(path);
    const last = lastName(folded);
    const slips = editDistance(asked, folded) / Math.max(asked.length, folded.length);
    const lastSlips = editDistance(askedLast, last) / Math.max(askedLast.length, last.length);
    const own = words(folded);
    const shared = askedWords.filter((one) => own.some((other) => other.includes(one))).length / askedWords.length;
    const score = Math.min(slips, lastSlips + 0.05 + slips / 10) - shared / 4;
    // Somebody who stopped in the middle of a word means one that goes on from there: before all that is only alike.
    const begun = folded.startsWith(asked);
    // What is said of a feature counts only where it says all of it: single words are in too many descriptions.
    const text = `_${description.toLowerCase().replaceAll(/[^a-z0-9]+/g, "_")}_`;
    const said = asked.length > 2 && text.includes(`_${asked}_`);
    const near = begun || said || slips < 0.34 || lastSlips < 0.34 || shared >= 0.5;
    return { path, score: score - (begun ? 2 : said && lastSlips > 0 ? 0.5 : said ? 1 : 0), near };
  });
  return scored
    .filter(({ near }) => near)
    .sort((one, other) => one.score - other.score)
    .slice(0, count)
    .map(({ path }) => path);
}

function fold(text: string): string {
  return text.toLowerCase().replaceAll(/[-\s.]+/g, "_");
}

function lastName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function words(path: string): string[] {
  const found = path.split(/[/_]/).filter((one) => one.length > 1);
  return found.length === 0 ? [path] : found;
}
