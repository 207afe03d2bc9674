/**
 * A copy of a text with memory of its own. What is cut out of a chunk of a file stays a view of it as long as it is
 * kept: a few thousand keys of a few bytes would hold gigabytes.
 */
export function ownText(text: string): string {
  // Shorter ones are copied anyway.
  if (text.length < 13) return text;
  return Buffer.from(text, "utf16le").toString("utf16le");
}
