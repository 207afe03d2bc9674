/**
 * Writing to accepted connections past the stream that Node would queue every piece in: no request object, no closure
 * and no tick per answer, and bytes that the system has taken at once may be used again.
 *
 * Algorithm:
 *   1. A handle's `writeBuffer(request, bytes)` first writes what the system takes. Where that is everything, nothing
 *      hangs on the request, and one request does for every connection.
 *   2. Where it is not, the request has become an asynchronous one (it has an id from then on): it keeps the bytes, and
 *      libuv writes the rest when it can. The next write takes a new request. What the stream writes meanwhile queues
 *      behind it in libuv.
 *   3. What goes wrong is left to the stream: the same bytes are given to it, and it ends the connection as it would.
 * The class of requests is not to be had from Node; it is looked up from the first write that a stream does.
 * Where a Node has no such handles, nothing is written here ("refused"), and streams are used as ever.
 * Source: `writeGeneric` in Node's internal/stream_base_commons; StreamBase::Write in its stream_base.cc.
 */
import type { Socket } from "node:net";

interface WriteRequest {
  handle?: unknown;
  buffer?: Uint8Array;
  oncomplete?: (status: number) => void;
  /** -1 as long as nothing hangs on it. */
  getAsyncId(): number;
}

interface StreamHandle {
  /** Not 0: an error, and nothing was written. */
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number;
  readonly writeQueueSize: number;
}

let RequestClass: (new () => WriteRequest) | undefined;
let idleRequest: WriteRequest | undefined;

export class DirectWriter {
  /** What libuv still has of what was written here. */
  pendingBytes = 0;
  readonly #handle: StreamHandle;
  readonly #onTaken: () => void;

  private constructor(handle: StreamHandle, onTaken: () => void) {
    this.#handle = handle;
    this.#onTaken = onTaken;
  }

  /** `onTaken`: bytes that were held have been taken, or the connection has gone. Undefined where it cannot be done. */
  static open(socket: Socket, onTaken: () => void): DirectWriter | undefined {
    const handle = (socket as unknown as { _handle?: StreamHandle | null })._handle;
    if (typeof handle?.writeBuffer !== "function" || typeof handle.writeQueueSize !== "number") return undefined;
    if (RequestClass === undefined) learnRequestClass(handle);
    return new DirectWriter(handle, onTaken);
  }

  /**
   * The stream must have nothing to write. `taken`: the bytes may be used again. `held`: they must not be changed any
   * more. `refused`: nothing has been written.
   */
  write(bytes: Uint8Array): "taken" | "held" | "refused" {
    if (RequestClass === undefined) return "refused";
    const request = (idleRequest ??= new RequestClass());
    if (this.#handle.writeBuffer(request, bytes) !== 0) return "refused";
    if (request.getAsyncId() === -1) return "taken";
    idleRequest = undefined;
    this.#hold(request, bytes);
    return "held";
  }

  #hold(request: WriteRequest, bytes: Uint8Array): void {
    const left = Math.min(bytes.length, this.#handle.writeQueueSize);
    this.pendingBytes += left;
    request.handle = this.#handle;
    request.buffer = bytes;
    request.oncomplete = () => {
      this.pendingBytes -= left;
      this.#onTaken();
    };
  }
}

/** Steps into the next write of a stream, once. */
function learnRequestClass(handle: StreamHandle): void {
  const own = handle as { writeBuffer?: StreamHandle["writeBuffer"] };
  own.writeBuffer = (request, bytes) => {
    delete own.writeBuffer;
    const { constructor } = request as { constructor: unknown };
    if (typeof request.getAsyncId === "function") RequestClass ??= constructor as typeof RequestClass;
    return handle.writeBuffer(request, bytes);
  };
}
