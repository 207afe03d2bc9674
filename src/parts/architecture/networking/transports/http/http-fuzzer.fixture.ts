/**
 * A structure-aware fuzzer of the HTTP core: conversations of a grammar, bent in many ways, cut anywhere.
 *
 * What is held for every input (one conversation on one connection):
 *   1. The requests that reach the application, with their bodies, are those of a reference that reads the whole
 *      conversation at once, by regular expressions, and refuses whatever is not beyond doubt.
 *   2. In whatever pieces the bytes come, requests and answers are the same.
 *   3. Answers are HTTP; there is one per request, and one more where the conversation was refused; nothing is answered
 *      behind a refusal, and the connection ends.
 *   4. When the connection is gone, the memory that connections share has been given back.
 * A failure throws with the conversation. Batches are drawn from seeds, so that one can be run again.
 * Source: T-Reqs (Jabiyev et al. 2021) for what to bend; the differential idea is that of HTTP Garden.
 */
import assert from "node:assert/strict";
import type { Env } from "../../../../../kit/env/env.ts";
import type { HttpApplication, HttpRequest, HttpResponder } from "../../http-application.ts";
import { openHttpSurface } from "./http-surface.ts";
import { ManualClock } from "../../manual-clock.fixture.ts";
import { ManualNetwork, metricOf } from "../../manual-network.fixture.ts";
import { answersOf, HttpManualConnection } from "./manual-connection.fixture.ts";

export const conversationsPerBatch = 100;
const bodyBytesMax = 300;

export interface HttpFuzzCounts {
  inputs: number;
  requests: number;
  refused: number;
  bodies: number;
  pieces: number;
}

export function emptyHttpCounts(): HttpFuzzCounts {
  return { inputs: 0, requests: 0, refused: 0, bodies: 0, pieces: 0 };
}

/** xorshift32. */
class Draw {
  #state: number;

  constructor(seed: number) {
    this.#state = ((Math.imul(seed, 0x9e37_79b1) ^ 0x5bd1_e995) >>> 0) || 1;
  }

  below(count: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return Math.floor((this.#state / 2 ** 32) * count);
  }

  of<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)];
  }
}

interface Seen {
  readonly method: string;
  readonly target: string;
  readonly body: string;
}

/** Runs a batch; throws where an invariant does not hold. */
export async function fuzzHttp(seed: number, counts: HttpFuzzCounts, conversations = conversationsPerBatch): Promise<void> {
  const draw = new Draw(seed);
  const subject = await openSubject();
  for (let number = 0; number < conversations; number++) {
    const text = bend(conversation(draw), draw);
    const wanted = reference(text);
    const whole = subject.run([text]);
    const cuts = Array.from({ length: 1 + draw.below(6) }, () => draw.below(text.length + 1)).sort((a, b) => a - b);
    const points = [0, ...cuts, text.length];
    const inPieces = subject.run(points.slice(1).map((end, at) => text.slice(points[at], end)));
    try {
      assert.deepEqual(whole.seen, wanted.requests, "requests are those of the reference");
      assert.deepEqual(inPieces, whole, "pieces make no difference");
      const final = answersOf(whole.answers).filter(({ status }) => status !== 100);
      assert.equal(final.length, wanted.requests.length + (wanted.refused ? 1 : 0), "one answer per request");
      assert.equal(whole.ended, wanted.refused || wanted.closes, "the connection ends when it must");
      assert.equal(subject.heldBytes(), 0, "memory is given back");
    } catch (error) {
      throw new Error(`${(error as Error).message}\nconversation ${number} of seed ${seed}: ${JSON.stringify(text)}`);
    }
    counts.inputs++;
    counts.requests += wanted.requests.length;
    counts.refused += wanted.refused ? 1 : 0;
    counts.bodies += wanted.requests.filter(({ body }) => body !== "").length;
    counts.pieces += points.length - 1;
  }
}

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

async function openSubject() {
  let seen: Seen[] = [];
  const application: HttpApplication = {
    open(request: HttpRequest, responder: HttpResponder) {
      const target = request.path + (request.query === "" ? "" : `?${request.query}`);
      const { method } = request;
      return {
        body: "collect", bodyBytesMax,
        handle: (body) => {
          seen.push({ method, target, body: Buffer.from(body).toString("latin1") });
          responder.send({ status: 200, body: "ok" });
        },
      };
    },
    metrics: () => [],
  };
  const clock = new ManualClock();
  const network = new ManualNetwork();
  const limits = { turnRequestsMax: 10_000, lineBytesMax: 512, headBytesMax: 1024, fieldsMax: 12 };
  const surface = openHttpSurface({ clock, log: silent, network } as unknown as Env, { application, limits });
  await surface.listen({ host: "test", port: 1 });
  return {
    run(pieces: readonly string[]) {
      seen = [];
      const connection = network.connect(new HttpManualConnection());
      for (const piece of pieces) connection.send(piece);
      const { ended } = connection;
      // The time is the same for every run, so answers differ in nothing but what they say.
      const answers = connection.take();
      connection.destroy();
      return { seen, answers, ended };
    },
    heldBytes: () => metricOf(surface, "http_inbound_buffer_bytes"),
  };
}

/** One to four requests, most of them well made. */
function conversation(draw: Draw): string {
  return Array.from({ length: 1 + draw.below(4) }, () => request(draw)).join("");
}

function request(draw: Draw): string {
  const method = draw.of(["GET", "POST", "PUT", "DELETE", "M-SEARCH"]);
  const target = draw.of(["/", "/a", "/a?b=c", "/%41?x=%00", "http://h/p", "http://h:1?q", "/a//b"]);
  const fields = ["Host: h", ...Array.from({ length: draw.below(4) }, () => draw.of(harmless))];
  const body = "x".repeat(draw.below(draw.below(4) === 0 ? 400 : 20)) + draw.of(["", "\r\n", "GET / HTTP/1.1\r\n\r\n", "0\r\n\r\n"]);
  const kind = draw.below(3);
  const version = draw.below(12) === 0 ? "HTTP/1.0" : "HTTP/1.1";
  let text = "";
  if (kind === 1) {
    fields.splice(draw.below(fields.length + 1), 0, `Content-Length: ${body.length}`);
    text = body;
  } else if (kind === 2) {
    fields.splice(draw.below(fields.length + 1), 0, draw.of(["Transfer-Encoding: chunked", "transfer-encoding:CHUNKED"]));
    text = chunked(body, draw);
  }
  return `${method} ${target} ${version}\r\n${fields.map((field) => `${field}\r\n`).join("")}\r\n${text}`;
}

const harmless = [
  "A: b", "x-y:  z \t", "Connection: keep-alive", "Connection: close", "Empty:", "Cookie: a=\"b\"; c", "T\u00e9: a", "Q: \u00ff",
  "Content-Type: text/plain", "Expect: 100-continue", "Accept: */*",
];

function chunked(body: string, draw: Draw): string {
  let text = "";
  for (let at = 0; at < body.length; ) {
    const size = 1 + draw.below(Math.min(12, body.length - at));
    const digits = draw.of([size.toString(16), size.toString(16).toUpperCase(), `00${size.toString(16)}`]);
    text += `${digits}${draw.of(["", "", ";a", ";a=\"b\""])}\r\n${body.slice(at, at + size)}\r\n`;
    at += size;
  }
  return `${text}0\r\n${draw.of(["", "", "Trailer: t\r\n"])}\r\n`;
}

/** What smugglers write. */
const bends: readonly ((text: string, draw: Draw) => string)[] = [
  (text) => text,
  (text) => text,
  (text, draw) => insert(text, draw.below(text.length), draw.of(["\n", "\r", "\0", " ", "\t", ":", ",", "\x0b", "\x80", "\x7f"])),
  (text, draw) => remove(text, draw.below(text.length)),
  (text, draw) => replace(text, "\r\n", "\n", draw),
  (text, draw) => replace(text, "\r\n", draw.of(["\r\n ", "\r\n\t", "\r\r\n", "\r\n\r\n", "\r\n\r"]), draw),
  (text, draw) => replace(text, "Host: h\r\n", `Host: h\r\n${draw.of(smuggled)}\r\n`, draw),
  (text, draw) => replace(text, ": ", draw.of([" : ", ":\x0b", ":\t", ":"]), draw),
  (text, draw) => replace(text, "Content-Length: ", draw.of(["Content-Length: +", "Content-Length: 0", "Content-Length: -", "Content_Length: "]), draw),
  (text, draw) => replace(text, "chunked", draw.of(["chunked,", "identity", " chunked", "chunked\x00", "xchunked", "gzip, chunked"]), draw),
  (text, draw) => replace(text, "HTTP/1.1", draw.of(["HTTP/1.10", "http/1.1", "HTTP/2.0", "HTTP/1.0", "HTTP/1.1 "]), draw),
  (text, draw) => replace(text, "Host: h\r\n", draw.of(["", "Host: h\r\nHost: i\r\n", "Host: a b\r\n", "Host:\r\n"]), draw),
  (text, draw) => `${draw.of(["\r\n", "\r\n\r\n", "\n", " "])}${text}`,
  (text, draw) => text.slice(0, draw.below(text.length)),
  (text, draw) => insert(text, draw.below(text.length), "y".repeat(600)),
];

const smuggled = [
  "Content-Length: 0", "Content-Length: 5", "Content-Length: 3, 3", "Transfer-Encoding: chunked", "Transfer-Encoding: identity",
  "Transfer-Encoding : chunked", "Content-Length: 1e1", "Content-Length: 99999999999999999999", "Expect: tea",
];

function bend(text: string, draw: Draw): string {
  let bent = text;
  for (let times = draw.below(3); times > 0; times--) bent = draw.of(bends)(bent, draw);
  return bent;
}

function insert(text: string, at: number, what: string): string {
  return text.slice(0, at) + what + text.slice(at);
}

function remove(text: string, at: number): string {
  return text.slice(0, at) + text.slice(at + 1);
}

/** One of the places where it stands. */
function replace(text: string, what: string, by: string, draw: Draw): string {
  const places: number[] = [];
  for (let at = text.indexOf(what); at >= 0; at = text.indexOf(what, at + 1)) places.push(at);
  if (places.length === 0) return text;
  const at = draw.of(places);
  return text.slice(0, at) + by + text.slice(at + what.length);
}

interface Reading {
  readonly requests: Seen[];
  /** It was answered with an error. */
  readonly refused: boolean;
  /** A request asked for the connection's end. */
  readonly closes: boolean;
}

/** The reference: whole text, one request after the other. Slow, plain, and of its own. */
function reference(text: string): Reading {
  const requests: Seen[] = [];
  let rest = text;
  for (;;) {
    const read = readRequest(rest);
    if (read === "more") return { requests, refused: false, closes: false };
    if (read === "bad") return { requests, refused: true, closes: false };
    requests.push(read.seen);
    if (read.closes) return { requests, refused: false, closes: true };
    rest = rest.slice(read.length);
  }
}

type Read = "more" | "bad" | { readonly seen: Seen; readonly length: number; readonly closes: boolean };

function readRequest(text: string): Read {
  const skipped = text.startsWith("\r\n") ? 2 : 0;
  const head = readLines(text.slice(skipped), 1024);
  if (typeof head === "string") return head;
  const line = /^([!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}) (\/[!-"$-~]*|https?:\/\/[!"$-.0->@-~]+[!-"$-~]*) HTTP\/1\.([01])$/i.exec(head.lines[0]);
  if (line === null || !head.lines[0].includes(" HTTP/1.")) return "bad";
  const fields = readFields(head.lines.slice(1), 12);
  if (fields === undefined) return "bad";
  const all = (name: string) => fields.filter(([one]) => one === name).map(([, value]) => value);
  const hosts = all("host");
  if (hosts.length > 1 || (hosts.length === 0 && line[3] === "1")) return "bad";
  if (hosts.some((host) => !/^[\w.~%!$&'()*+,;=:[\]-]*$/.test(host))) return "bad";
  const lengths = all("content-length");
  const codings = all("transfer-encoding");
  if (lengths.length + codings.length > 1) return "bad";
  if (codings.length === 1 && (line[3] === "0" || codings[0].toLowerCase() !== "chunked")) return "bad";
  if (lengths.length === 1 && !/^\d{1,15}$/.test(lengths[0])) return "bad";
  const expectations = all("expect");
  if (expectations.length > 0 && expectations.join(", ").toLowerCase() !== "100-continue") return "bad";
  const bodyStart = skipped + head.length;
  const body = codings.length === 1
    ? readChunks(text.slice(bodyStart))
    : readPlain(text.slice(bodyStart), Number(lengths[0] ?? 0));
  if (typeof body === "string") return body;
  const options = all("connection").join(",").toLowerCase().split(",").map((option) => option.trim());
  const closes = options.includes("close") || (line[3] === "0" && !options.includes("keep-alive"));
  const target = line[2].replace(/^https?:\/\/[^/?]+/i, "").replace(/^(?!\/)/, "/").replace(/\?$/, "");
  return { seen: { method: line[1], target, body: body.text }, length: bodyStart + body.length, closes };
}

/** Lines up to an empty one, without their ends; of those that are not whole yet only the limits are looked at. */
function readLines(text: string, bytesMax: number): "more" | "bad" | { lines: string[]; length: number } {
  const lines: string[] = [];
  for (let at = 0; ; ) {
    const feed = text.indexOf("\n", at);
    const end = feed < 0 ? text.length : feed + 1;
    if (end - at > 512 || end > bytesMax) return "bad";
    if (feed < 0) return lines.length > 0 && !isPlausible(lines) ? "bad" : "more";
    if (text[feed - 1] !== "\r" || feed === at) return "bad";
    const line = text.slice(at, feed - 1);
    at = feed + 1;
    if (line === "") return lines.length === 0 ? "bad" : { lines, length: at };
    lines.push(line);
  }
}

/** Whether the lines of an unfinished head could become a request: what is wrong is refused as soon as its line ends. */
function isPlausible(lines: readonly string[]): boolean {
  const probe = readRequestLine(lines[0]) && readFields(lines.slice(1), 12) !== undefined;
  return probe;
}

function readRequestLine(line: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32} (\/[!-"$-~]*|[hH][tT][tT][pP][sS]?:\/\/[!"$-.0->@-~]+[!-"$-~]*) HTTP\/1\.[01]$/
    .test(line);
}

function readFields(lines: readonly string[], most: number): [string, string][] | undefined {
  if (lines.length > most) return undefined;
  const fields: [string, string][] = [];
  for (const line of lines) {
    const field = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/.exec(line);
    if (field === null) return undefined;
    fields.push([field[1].toLowerCase(), field[2]]);
  }
  return fields;
}

type Body = "more" | "bad" | { readonly text: string; readonly length: number };

function readPlain(text: string, length: number): Body {
  if (length > bodyBytesMax) return "bad";
  return text.length < length ? "more" : { text: text.slice(0, length), length };
}

function readChunks(text: string): Body {
  let body = "";
  for (let at = 0; ; ) {
    const feed = text.indexOf("\n", at);
    const lineBytes = (feed < 0 ? text.length : feed + 1) - at;
    if (lineBytes > 256) return "bad";
    if (feed < 0) return "more";
    const size = /^([0-9A-Fa-f]{1,8})(?:;[\x20-\x7e]*)?\r$/.exec(text.slice(at, feed));
    if (size === null) return "bad";
    at = feed + 1;
    const length = Number.parseInt(size[1], 16);
    if (length === 0) return readTrailers(text, at, body);
    body += text.slice(at, at + length);
    if (body.length > bodyBytesMax) return "bad";
    const end = text.slice(at + length, at + length + 2);
    if (!"\r\n".startsWith(end)) return "bad";
    if (end.length < 2) return "more";
    at += length + 2;
  }
}

function readTrailers(text: string, start: number, body: string): Body {
  for (let at = start, lines = 0; ; ) {
    const feed = text.indexOf("\n", at);
    const end = feed < 0 ? text.length : feed + 1;
    if (end - at > 512 || end - start > 1024) return "bad";
    if (feed < 0) return "more";
    if (text[feed - 1] !== "\r" || feed === at) return "bad";
    const line = text.slice(at, feed - 1);
    at = feed + 1;
    if (line === "") return { text: body, length: at };
    if (++lines > 12 || readFields([line], 12) === undefined) return "bad";
  }
}
