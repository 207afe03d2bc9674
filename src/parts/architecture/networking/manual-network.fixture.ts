/** A network whose other side is the test: it delivers bytes, takes them or leaves them, and closes. */
import type { Connection, Listener, ListenOptions, Network, Written } from "../../../kit/env/env.ts";
import type { Surface } from "./surface.ts";

export class ManualConnection implements Connection {
  readonly remoteAddress = "test";
  /** False: bytes are left unread. */
  taking = true;
  paused = false;
  ended = false;
  destroyed = false;
  bufferedBytes = 0;
  #written: Buffer[] = [];
  #onData: (bytes: Uint8Array) => void = () => {};
  #onDrain: () => void = () => {};
  #onClose: (error: Error | undefined) => void = () => {};

  write(bytes: Uint8Array): boolean {
    this.#written.push(Buffer.from(bytes));
    if (!this.taking) this.bufferedBytes += bytes.length;
    return this.taking;
  }

  writeNow(bytes: Uint8Array): Written {
    return this.write(bytes) ? "taken" : "full";
  }

  onData(handler: (bytes: Uint8Array) => void): void {
    this.#onData = handler;
  }

  onDrain(handler: () => void): void {
    this.#onDrain = handler;
  }

  onClose(handler: (error: Error | undefined) => void): void {
    this.#onClose = handler;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  end(): void {
    this.ended = true;
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.#onClose(undefined);
  }

  /** Delivers bytes. */
  deliver(bytes: Uint8Array): void {
    this.#onData(bytes);
  }

  /** What was written since the last call. */
  takeBytes(): Buffer {
    return Buffer.concat(this.#written.splice(0));
  }

  /** Takes everything that was left, and goes on taking or not. */
  drain(taking = true): void {
    this.taking = taking;
    this.bufferedBytes = 0;
    this.#onDrain();
  }
}

/** For one surface, which listens on it. */
export class ManualNetwork implements Pick<Network, "listen"> {
  #accept: ((connection: Connection) => void) | undefined;

  /** How many connections the surface lets wait to be accepted. */
  backlog = 0;

  get listening(): boolean {
    return this.#accept !== undefined;
  }

  async listen({ host, port, backlog = 0 }: ListenOptions, onConnection: (connection: Connection) => void) {
    this.backlog = backlog;
    this.#accept = onConnection;
    const listener: Listener = { host, port, close: async () => void (this.#accept = undefined) };
    return listener;
  }

  /** Nothing happens where nobody listens any more. */
  connect<Manual extends ManualConnection>(connection: Manual): Manual {
    this.#accept?.(connection);
    return connection;
  }
}

export function metricOf(surface: Surface, name: string): number | undefined {
  const metric = surface.metrics().find((one) => one.name === name);
  return metric === undefined ? undefined : metric.kind === "histogram" ? metric.count : metric.value;
}
