/**
 * The head of one HTTP/1.x request, taken in line by line and judged at its end.
 *
 * What is refused, beyond what is no HTTP at all, is what servers and proxies read differently, because there requests
 * are smuggled: both Content-Length and Transfer-Encoding, either of them twice, codings other than one `chunked`,
 * lengths that are no plain decimal number, a space before the colon, folded lines, two Hosts, control characters.
 * Source: RFC 9112 (sections 2, 3, 5, 6); the field table of picohttpparser; what llhttp refuses when strict; the
 * findings of Kettle ("HTTP Desync Attacks") and of Jabiyev et al. 2021 (T-Reqs).
 */
import type { HttpRequest } from "../../http-application.ts";
import { fault, type RequestFault } from "./request-fault.ts";

/** 1: a character of tokens (method, field name). 2: allowed in a field's value. 4: allowed in a target. */
const classes = new Uint8Array(256);
const inToken = 1;
const inValue = 2;
const inTarget = 4;
for (let code = 0; code < 256; code++) {
  const visible = code > 0x20 && code < 0x7f;
  if (visible && !'"(),/:;<=>?@[\\]{}'.includes(String.fromCharCode(code))) classes[code] |= inToken;
  if (code === 0x09 || (code >= 0x20 && code !== 0x7f)) classes[code] |= inValue;
  if (visible && code !== 0x23) classes[code] |= inTarget;
}

const space = 0x20;
const tab = 0x09;
const colon = 0x3a;
const lengthDigitsMax = 15;

export class RequestHead implements HttpRequest {
  method = "";
  path = "";
  query = "";
  remoteAddress = "";
  /** Minor version: 0 or 1. */
  minor = 1;
  /** Undefined: no body. -1: chunked. */
  bodyLength: number | undefined;
  keepAlive = true;
  expectsContinue = false;
  readonly #names: string[] = [];
  readonly #values: string[] = [];

  get fieldCount(): number {
    return this.#names.length;
  }

  reset(): void {
    this.method = "";
    this.bodyLength = undefined;
    this.expectsContinue = false;
    this.#names.length = 0;
    this.#values.length = 0;
  }

  header(name: string): string | undefined {
    const first = this.#names.indexOf(name);
    if (first < 0) return undefined;
    let value = this.#values[first];
    for (let at = first + 1; at < this.#names.length; at++) {
      if (this.#names[at] === name) value += `, ${this.#values[at]}`;
    }
    return value;
  }

  /** The request line, without its end. */
  takeRequestLine(bytes: Buffer, start: number, end: number): RequestFault | undefined {
    let at = start;
    while (at < end && (classes[bytes[at]] & inToken) !== 0) at++;
    if (at === start || at - start > 32 || bytes[at] !== space) return fault(400, "the request line has no method");
    this.method = bytes.toString("latin1", start, at);
    const targetStart = ++at;
    while (at < end && (classes[bytes[at]] & inTarget) !== 0) at++;
    if (at === targetStart || bytes[at] !== space) return fault(400, "the request line has no valid target");
    const target = bytes.toString("latin1", targetStart, at);
    const version = bytes.toString("latin1", at + 1, end);
    if (version !== "HTTP/1.1" && version !== "HTTP/1.0") {
      return /^HTTP\/\d\.\d$/.test(version)
        ? fault(505, "this server speaks HTTP/1.1")
        : fault(400, "the request line ends with no HTTP version");
    }
    this.minor = version === "HTTP/1.1" ? 1 : 0;
    return this.#takeTarget(target);
  }

  #takeTarget(target: string): RequestFault | undefined {
    let rest = target;
    if (rest.charCodeAt(0) !== 0x2f) {
      // A proxy's form, which every server must take; CONNECT's and `OPTIONS *` lead to no resource here.
      const absolute = /^https?:\/\/[^/?]+/i.exec(rest);
      if (absolute === null) return fault(400, "the target is no path");
      rest = rest.slice(absolute[0].length);
      if (!rest.startsWith("/")) rest = `/${rest}`;
    }
    const mark = rest.indexOf("?");
    this.path = mark < 0 ? rest : rest.slice(0, mark);
    this.query = mark < 0 ? "" : rest.slice(mark + 1);
    return undefined;
  }

  /** A field line, without its end. With `keep` false, as in trailers, it is judged and dropped. */
  takeField(bytes: Buffer, start: number, end: number, keep = true): RequestFault | undefined {
    let at = start;
    while (at < end && (classes[bytes[at]] & inToken) !== 0) at++;
    if (at === start || at === end || bytes[at] !== colon) return this.#badName(bytes, start);
    const nameEnd = at++;
    while (at < end && (bytes[at] === space || bytes[at] === tab)) at++;
    let valueEnd = end;
    while (valueEnd > at && (bytes[valueEnd - 1] === space || bytes[valueEnd - 1] === tab)) valueEnd--;
    for (let i = at; i < valueEnd; i++) {
      if ((classes[bytes[i]] & inValue) === 0) return fault(400, "a field has a control character");
    }
    if (!keep) return undefined;
    this.#names.push(bytes.toString("latin1", start, nameEnd).toLowerCase());
    this.#values.push(bytes.toString("latin1", at, valueEnd));
    return undefined;
  }

  #badName(bytes: Buffer, start: number): RequestFault {
    const folded = bytes[start] === space || bytes[start] === tab;
    return fault(400, folded ? "a field is folded over lines" : "a field has no valid name before its colon");
  }

  /** Judges the whole. */
  finish(): RequestFault | undefined {
    this.keepAlive = this.minor === 1;
    const hosts = this.#names.filter((name) => name === "host").length;
    if (hosts > 1 || (hosts === 0 && this.minor === 1)) return fault(400, "a request has one Host field");
    if (hosts === 1 && !/^[A-Za-z0-9._~%!$&'()*+,;=:[\]-]*$/.test(this.header("host") ?? "")) {
      return fault(400, "the Host field names no host");
    }
    return this.#judgeConnection() ?? this.#judgeBody() ?? this.#judgeExpectation();
  }

  #judgeConnection(): RequestFault | undefined {
    const connection = this.header("connection");
    if (connection === undefined) return undefined;
    const options = connection.toLowerCase().split(",").map((option) => option.trim());
    if (options.includes("close")) this.keepAlive = false;
    else if (options.includes("keep-alive")) this.keepAlive = true;
    return undefined;
  }

  #judgeBody(): RequestFault | undefined {
    const count = (name: string) => this.#names.reduce((sum, other) => sum + (other === name ? 1 : 0), 0);
    const lengths = count("content-length");
    const codings = count("transfer-encoding");
    if (lengths + codings === 0) return undefined;
    if (lengths + codings > 1) return fault(400, "a request says the length of its body once");
    if (codings === 1) {
      if (this.minor === 0) return fault(400, "HTTP/1.0 has no Transfer-Encoding");
      if (this.header("transfer-encoding")?.toLowerCase() !== "chunked") {
        return fault(501, "the only Transfer-Encoding served is chunked");
      }
      this.bodyLength = -1;
      return undefined;
    }
    const text = this.header("content-length") ?? "";
    if (!/^\d+$/.test(text)) return fault(400, "Content-Length is a decimal number");
    if (text.length > lengthDigitsMax) return fault(413, "Content-Length is beyond every limit");
    this.bodyLength = Number(text);
    return undefined;
  }

  #judgeExpectation(): RequestFault | undefined {
    const expectation = this.header("expect");
    if (expectation === undefined) return undefined;
    if (expectation.toLowerCase() !== "100-continue") return fault(417, "the only expectation met is 100-continue");
    this.expectsContinue = this.minor === 1;
    return undefined;
  }
}
