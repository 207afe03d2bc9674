/**
 * The bytes of a source as latin1 text in chunks, and as lines.
 *
 * Memory: one chunk (256 KiB) and one line of at most `lineBytesMax`, whatever the size of the file; what a line has
 * beyond is dropped and counted.
 * Files that end in .gz are decompressed as they are read, 16 KiB at a time (at most 16 MiB of text); of one that is
 * cut or damaged all that comes before is handed out, and then the error, or with `partial` the end. UTF-16 is
 * refused: its bytes are no text here.
 */
import { createReadStream, openSync, closeSync, readSync, statSync } from "node:fs";
import { createGunzip } from "node:zlib";
import { LatheError } from "../kit/errors.ts";

const chunkBytes = 256 * 1024;
const compressedChunkBytes = 16 * 1024;
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
  /** Whether a .gz that is cut or damaged is read as far as it goes. */
  readonly partial?: boolean | undefined;
  /** Told how far that was. */
  readonly onBroken?: ((told: string) => void) | undefined;
}

/** Errors: NOT_FOUND, IO_ERROR, INVALID_ARGUMENT (UTF-16), CORRUPTION (a damaged .gz). */
export async function* textChunks(file: string, reading: SourceReading = {}): AsyncGenerator<string> {
  const { signal, onRead, bytesMax = Infinity, onCut, partial = false, onBroken } = reading;
  const packed = file.endsWith(".gz");
  const raw = createReadStream(file, { highWaterMark: packed ? compressedChunkBytes : chunkBytes });
  const stream: AsyncIterable<Buffer> = packed ? decompressed(raw) : raw;
  let first = true;
  let bytes = 0;
  try {
    for await (const chunk of stream) {
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
    if (!isBroken(cause)) throw readError(file, cause);
    const told = brokenText(cause, bytes, raw.bytesRead, statSync(file).size);
    if (!partial) {
      const way = "restore or fetch the file again, or take what can be read with --partial";
      throw new LatheError("CORRUPTION", `${file} is no whole .gz: ${told}; ${way}`, { cause });
    }
    onBroken?.(told);
  } finally {
    raw.destroy();
  }
}

/** All that can be decompressed, before the error where there is one. */
async function* decompressed(raw: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: chunkBytes });
  let ready: Buffer[] = [];
  let failure: Error | undefined;
  let ended = false;
  // A write is answered when it is taken; after an error, or the last byte that counts, by these events alone.
  let wake = (): void => undefined;
  const end = (error?: Error) => {
    failure ??= error;
    ended = true;
    wake();
  };
  gunzip.on("data", (chunk: Buffer) => ready.push(chunk));
  gunzip.on("error", end);
  gunzip.on("end", () => end());
  const taken = () => {
    const some = ready;
    ready = [];
    return some;
  };
  try {
    for await (const chunk of raw) {
      await new Promise<void>((resolve) => {
        wake = resolve;
        gunzip.write(chunk, () => resolve());
      });
      yield* taken();
      if (ended) break;
    }
    if (!ended) await new Promise<void>((resolve) => {
      wake = resolve;
      gunzip.end();
    });
    yield* taken();
    if (failure !== undefined) throw failure;
  } finally {
    gunzip.destroy();
  }
}

function isBroken(cause: unknown): cause is NodeJS.ErrnoException {
  return (cause as NodeJS.ErrnoException | undefined)?.code?.startsWith("Z_") === true;
}

/** How far a .gz could be read: `text` bytes of it out of the first `read` of `of`. */
function brokenText({ code, message }: NodeJS.ErrnoException, text: number, read: number, of: number): string {
  const what = code === "Z_BUF_ERROR" ? `it ends early, after ${of} bytes`
    : `it is damaged within the first ${read} of its ${of} bytes (${message})`;
  return `${what}; ${text} bytes of text could be read before that`;
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
    let broken = false;
    for await (const chunk of textChunks(file, { partial: true, onBroken: () => (broken = true) })) {
      text += chunk;
      if (text.length >= bytes) break;
    }
    // What is broken is told where all of it is read, if there is anything to read.
    if (broken && text === "") for await (const _ of textChunks(file)) break;
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
  return new LatheError("IO_ERROR", `cannot read ${file}: ${message}`, { cause });
}
