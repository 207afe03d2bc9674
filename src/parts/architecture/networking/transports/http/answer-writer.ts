/**
 * Answers as bytes: status line, fields and, where it is whole, the body in one piece, so that an answer costs one
 * write.
 *
 * A field's value never holds a line end here: names and values come from the application's own tables, and what is
 * derived from requests (an ETag, a location) is checked before it goes out.
 * Source: RFC 9112, sections 4, 6 and 7.1.
 */
import { assert } from "../../../../../kit/assert.ts";
import type { HttpAnswer } from "../../http-application.ts";
import { reasonPhrases } from "./request-fault.ts";

export interface AnswerFrame {
  readonly date: string;
  /** Of the request; decides about chunks and about how a kept connection is announced. */
  readonly minor: number;
  readonly keepAlive: boolean;
  /** HEAD: everything but the body. */
  readonly omitBody: boolean;
}

const statusLines = new Map<number, string>();
const nothing = Buffer.alloc(0);
export const continueLine = Buffer.from("HTTP/1.1 100 Continue\r\n\r\n", "latin1");
export const lastChunk = Buffer.from("0\r\n\r\n", "latin1");

/** A whole answer. */
export function writeAnswer(answer: HttpAnswer, frame: AnswerFrame): Buffer {
  const { body, status } = answer;
  const bodyless = status === 204 || status === 304;
  const length = bodyless || body === undefined ? 0 : typeof body === "string" ? Buffer.byteLength(body) : body.length;
  const lengthField = bodyless ? "" : `Content-Length: ${length}\r\n`;
  const head = `${headOf(answer, frame)}${lengthField}\r\n`;
  const bodyBytes = frame.omitBody ? 0 : length;
  const bytes = Buffer.allocUnsafe(head.length + bodyBytes);
  bytes.write(head, 0, "latin1");
  if (bodyBytes === 0) return bytes;
  if (typeof body === "string") bytes.write(body, head.length, "utf8");
  else bytes.set(body as Uint8Array, head.length);
  return bytes;
}

/** The head of an answer whose body comes in pieces: chunked, or up to the end of the connection for HTTP/1.0. */
export function writeStreamHead(answer: HttpAnswer, frame: AnswerFrame): Buffer {
  const coding = frame.minor === 1 ? "Transfer-Encoding: chunked\r\n" : "";
  return Buffer.from(`${headOf(answer, frame)}${coding}\r\n`, "latin1");
}

/** A piece of a body as a chunk. */
export function writeChunk(bytes: Uint8Array): Buffer {
  if (bytes.length === 0) return nothing;
  const size = `${bytes.length.toString(16)}\r\n`;
  const chunk = Buffer.allocUnsafe(size.length + bytes.length + 2);
  chunk.write(size, 0, "latin1");
  chunk.set(bytes, size.length);
  chunk.write("\r\n", size.length + bytes.length, "latin1");
  return chunk;
}

function headOf({ status, contentType, fields }: HttpAnswer, frame: AnswerFrame): string {
  let head = statusLine(status);
  head += `Date: ${frame.date}\r\n`;
  if (contentType !== undefined) head += `Content-Type: ${contentType}\r\n`;
  if (fields !== undefined) {
    for (const [name, value] of fields) {
      assert(!/[^\t\x20-\x7e\x80-\xff]/.test(value), "a field's value is one line of latin1");
      head += `${name}: ${value}\r\n`;
    }
  }
  if (!frame.keepAlive) head += "Connection: close\r\n";
  else if (frame.minor === 0) head += "Connection: keep-alive\r\n";
  return head;
}

function statusLine(status: number): string {
  let line = statusLines.get(status);
  if (line === undefined) {
    line = `HTTP/1.1 ${status} ${reasonPhrases[status] ?? "Unknown"}\r\n`;
    statusLines.set(status, line);
  }
  return line;
}
