/**
 * Reading of accepted connections into one buffer that all of them share, past the stream that Node would put every
 * piece through: no buffer is made, and nothing is collected, per request.
 *
 * Algorithm: Node can read so where a socket is made with `onread`, which its servers do not offer. So the handle of an
 * accepted socket is taken over by one that is made with it. Where a Node keeps its handles elsewhere than `_handle`,
 * nothing is taken over, and the accepted socket is read as streams are.
 * Invariant: the bytes are valid during the call only; the next piece of any connection takes their place.
 * Source: `onread` in Node's net documentation; how its cluster module hands connections over.
 */
import * as net from "node:net";

const sharedBytes = 64 << 10;
const shared = Buffer.allocUnsafeSlow(sharedBytes);
/** Views of pieces up to this length are kept. */
const keptViewBytesMax = 1024;
const views: (Buffer | undefined)[] = Array.from({ length: keptViewBytesMax + 1 }, () => undefined);

/** The fields of a socket that its server and its handle hang on. */
interface SocketInside {
  _handle?: object | null;
  _server?: unknown;
  server?: unknown;
}

function viewOf(length: number): Buffer {
  if (length > keptViewBytesMax) return shared.subarray(0, length);
  return (views[length] ??= shared.subarray(0, length));
}

/** Undefined where it cannot be done; the accepted socket is then as it was. */
export function readDirectly(accepted: net.Socket, onBytes: (bytes: Buffer) => void): net.Socket | undefined {
  const inside = accepted as unknown as SocketInside;
  const { _handle: handle, _server: listener, server } = inside;
  if (typeof handle !== "object" || handle === null || accepted.destroyed) return undefined;
  const options = {
    handle,
    onread: {
      buffer: shared,
      callback(length: number): boolean {
        onBytes(viewOf(length));
        return true;
      },
    },
  };
  const socket = new net.Socket(options as net.SocketConstructorOpts);
  const taken = socket as unknown as SocketInside;
  if (taken._handle !== handle) return undefined;
  inside._handle = null;
  // The server counts its open connections by who ends.
  taken._server = listener;
  taken.server = server;
  inside._server = null;
  return socket;
}
