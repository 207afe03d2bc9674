/** A request that is refused: its status and a sentence, in SNDV-KV's manner: text that begins with the status. */
import { errorCodeOf } from "../../../../kit/errors.ts";
import type { HttpAnswer, HttpFields } from "../../../architecture/networking/http-application.ts";

const phrases: Readonly<Record<number, string>> = {
  400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
  412: "Precondition Failed", 413: "Content Too Large", 500: "Internal Server Error", 503: "Service Unavailable",
  507: "Insufficient Storage",
};

export class Problem {
  readonly status: number;
  readonly text: string;

  constructor(status: number, text = "") {
    this.status = status;
    this.text = text;
  }
}

export function problemAnswer(status: number, text: string, fields?: HttpFields): HttpAnswer {
  const phrase = phrases[status];
  return {
    status, contentType: "text/plain; charset=utf-8", fields, body: text === "" ? phrase : `${phrase}: ${text}`,
  };
}

const statusOfCode: Readonly<Record<string, number>> = {
  INVALID_ARGUMENT: 400, LIMIT_EXCEEDED: 413, BACKPRESSURE: 503, CLOSED: 503, DISK_FULL: 507,
};

/** Of anything thrown while a request was handled. What is not the sender's to know is not told. */
export function answerOfError(error: unknown): HttpAnswer {
  if (error instanceof Problem) return problemAnswer(error.status, error.text);
  const code = errorCodeOf(error);
  const status = statusOfCode[code ?? ""] ?? 500;
  if (status >= 500) return problemAnswer(status, code === undefined ? "see the server's log" : code);
  return problemAnswer(status, (error as Error).message);
}
