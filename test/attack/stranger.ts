/** A raw connection of somebody who need not keep to a protocol: bytes out, bytes in, all waits bounded. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export class Stranger {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  closed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (bytes: Buffer) => {
      // The beginning tells; the rest of large answers is only counted by the kernel.
      if (this.#received.length < 1 << 20) this.#received = Buffer.concat([this.#received, bytes]);
    });
    socket.on("error", () => undefined);
    socket.on("close", () => (this.closed = true));
  }

  /** Undefined where the server did not take the connection. */
  static async connect(port: number): Promise<Stranger | undefined> {
    const socket = connect(port, "127.0.0.1");
    const stranger = new Stranger(socket);
    const taken = once(socket, "connect").then(() => true, () => false);
    return (await Promise.race([taken, sleep(5000, false, { ref: false })])) ? stranger : undefined;
  }

  get received(): Buffer {
    return this.#received;
  }

  send(bytes: Uint8Array | string): void {
    if (!this.closed) this.socket.write(bytes);
  }

  /** Waits for so many bytes, the end, or until the time is over; returns what came. */
  async hear(bytes: number, ms: number): Promise<Buffer> {
    for (let waited = 0; waited < ms && this.#received.length < bytes && !this.closed; waited += 5) await sleep(5);
    return this.#received;
  }

  async ended(ms: number): Promise<boolean> {
    for (let waited = 0; waited < ms && !this.closed; waited += 10) await sleep(10);
    return this.closed;
  }

  leave(): void {
    this.socket.destroy();
  }
}
