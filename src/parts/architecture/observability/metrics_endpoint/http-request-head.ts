/**
 * The head of an HTTP/1.x request, sans I/O: bytes in, a verdict out. Just what a scrape of /metrics needs.
 *
 * Limits: a head of at most `headBytesMax` bytes; a body is not read, because no answer depends on one.
 * Source: RFC 9112, sections 2 to 5.
 */
export const headBytesMax = 8192;

export type RequestHead =
  | { readonly kind: "incomplete" }
  | { readonly kind: "bad"; readonly status: 400 | 431 }
  | { readonly kind: "request"; readonly method: string; readonly path: string };

const incomplete: RequestHead = { kind: "incomplete" };

export class RequestHeadReader {
  #text = "";

  /** Takes the next bytes; the answer is final once it is not `incomplete`. */
  take(bytes: Uint8Array): RequestHead {
    // Cut before decoding: a peer must not make us hold more than a head.
    const room = headBytesMax + 1 - this.#text.length;
    for (const byte of bytes.subarray(0, Math.max(0, room))) this.#text += String.fromCharCode(byte);
    const end = this.#text.indexOf("\r\n\r\n");
    if (end < 0) return this.#text.length > headBytesMax ? { kind: "bad", status: 431 } : incomplete;
    const line = this.#text.slice(0, this.#text.indexOf("\r\n"));
    const match = /^([A-Z]{1,16}) (\/[\x21-\x7e]*) HTTP\/1\.[01]$/.exec(line);
    if (match === null) return { kind: "bad", status: 400 };
    return { kind: "request", method: match[1], path: match[2].split("?", 1)[0] };
  }
}
