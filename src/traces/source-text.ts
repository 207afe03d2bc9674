/**
 * The bytes of a source as latin1 text in chunks, and as lines.
 *
 * Memory: one chunk (256 KiB) and one line of at most `lineBytesMax`, whatever the size of the file; what a line has
 * beyond is dropped and counted.
 * Files that end in .gz are decompressed as they are read. A file in UTF-16 is refused: its bytes are no text here.
 */
import { createReadStream, openSync, closeSync, readSync, statSync } from "node:fs";
import { createGunzip } from "node:zlib";
import { LatheError } from "../kit/errors.ts";

const chunkBytes = 256 * 1024;
export const lineBytesMax = 1 << 20;

export interface SourceLine {
  readonly number: number;
  readonly text: string;
  /** Bytes that the line has beyond its text. */
  readonly dropped: number;
}

export interface SourceReading {
  readonly signal?: AbortSignal | undefined;
  /** Told how many bytes of the file, as it lies there, were read. */
  readonly onRead?: ((bytes: number) => void) | undefined;
  /** Bytes of text after which reading ends, at the end of a line. */
  readonly bytesMax?: number | undefined;
  /** Told where reading has ended there. */
  readonly onCut?: (() => void) | undefined;
}

/** Errors: NOT_FOUND, IO_ERROR, INVALID_ARGUMENT (UTF-16), CORRUPTION (a damaged .gz). */
export async function* textChunks(file: string, reading: SourceReading = {}): AsyncGenerator<string> {
  const { signal, onRead, bytesMax = Infinity, onCut } = reading;
  const raw = createReadStream(file, { highWaterMark: chunkBytes });
  const stream = file.endsWith(".gz") ? raw.pipe(createGunzip({ chunkSize: chunkBytes })) : raw;
  if (stream !== raw) raw.on("error", (error) => stream.destroy(error));
  let first = true;
  let bytes = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      signal?.throwIfAborted();
      const text = chunk.toString("latin1");
      if (first) checkEncoding(file, text);
      onRead?.(raw.bytesRead);
      const end = bytes + text.length < bytesMax ? -1 : text.indexOf("\n", bytesMax - bytes);
      bytes += text.length;
      const whole = end < 0 ? text : text.slice(0, end + 1);
      yield first && whole.startsWith("\xef\xbb\xbf") ? whole.slice(3) : whole;
      first = false;
      if (end < 0) continue;
      if (bytes > bytesMax) onCut?.();
      return;
    }
  } catch (cause) {
    throw readError(file, cause);
  } finally {
    raw.destroy();
  }
}

/** The lines of a file, those of a chunk at once: waiting for each one would take longer than to read it. */
export async function* sourceLines(file: string, reading: SourceReading = {}): AsyncGenerator<readonly SourceLine[]> {
  let number = 1;
  let rest = "";
  let dropped = 0;
  for await (const chunk of textChunks(file, reading)) {
    const lines: SourceLine[] = [];
    let start = 0;
    for (;;) {
      const end = chunk.indexOf("\n", start);
      const piece = chunk.slice(start, end < 0 ? undefined : end);
      const room = lineBytesMax - rest.length;
      rest += piece.length > room ? piece.slice(0, room) : piece;
      dropped += Math.max(0, piece.length - room);
      if (end < 0) break;
      lines.push({ number, text: withoutReturn(rest), dropped });
      number++;
      rest = "";
      dropped = 0;
      start = end + 1;
    }
    yield lines;
  }
  if (rest !== "") yield [{ number, text: withoutReturn(rest), dropped }];
}

function withoutReturn(line: string): string {
  return line.charCodeAt(line.length - 1) === 13 ? line.slice(0, -1) : line;
}

/** The beginning of a file, by which its kind is told. */
export async function firstText(file: string, bytes: number): Promise<string> {
  if (file.endsWith(".gz")) {
    let text = "";
    for await (const chunk of textChunks(file)) {
      text += chunk;
      if (text.length >= bytes) break;
    }
    return text.slice(0, bytes);
  }
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, "r");
    const buffer = Buffer.alloc(bytes);
    const read = readSync(descriptor, buffer, 0, bytes, 0);
    const text = buffer.toString("latin1", 0, read);
    checkEncoding(file, text);
    return text.startsWith("\xef\xbb\xbf") ? text.slice(3) : text;
  } catch (cause) {
    throw readError(file, cause);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

export function fileBytes(file: string): number {
  return statSync(file).size;
}

function checkEncoding(file: string, text: string): void {
  if (!text.startsWith("\xff\xfe") && !text.startsWith("\xfe\xff")) return;
  const message = `${file} is UTF-16; convert it first: iconv -f UTF-16 -t UTF-8 ${file} > converted`;
  throw new LatheError("INVALID_ARGUMENT", message);
}

function readError(file: string, cause: unknown): unknown {
  const { code, message, name } = cause as NodeJS.ErrnoException;
  if (name === "LatheError" || name === "AbortError") return cause;
  if (code === "ENOENT") return new LatheError("NOT_FOUND", `there is no file ${file}`, { cause });
  if (code?.startsWith("Z_")) {
    return new LatheError(
      "CORRUPTION", `${file} is no whole .gz: ${message}; decompress it by hand to see where`, { cause }
    );
  }
  return new LatheError("IO_ERROR", `cannot read ${file}: ${message}`, { cause });
}
