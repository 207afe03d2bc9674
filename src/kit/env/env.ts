/**
 * Env: the only door from a part to the world.
 *
 * Purpose: everything in `parts/` reaches clock, randomness, disk, network, threads and log through one
 * value, so that the same code runs on a real machine (`NodeEnv`) and in a deterministic simulation
 * (`SimEnv`). Invariants:
 *   1. Nothing in `parts/` touches Date, timers, Math.random, node:fs, node:net or node:worker_threads
 *   (the linter forbids it).
 *   2. Every call that can fail throws (or rejects with) a `LatheError` with a `code`; `cause` carries
 *   the system's error. Source: LevelDB's Env (include/leveldb/env.h), FoundationDB's INetwork and
 *   IAsyncFile, TigerBeetle's IO and Time.
 */

export interface Env {
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: Disk;
  readonly network: Network;
  readonly threads: Threads;
  readonly log: Logger;
}

export interface Clock {
  /** Wall-clock time in milliseconds since the Unix epoch. May jump, also backwards. */
  nowMs(): number;
  /** Monotonic time in microseconds since an arbitrary start; fractional. Never goes backwards. */
  monotonicUs(): number;
  /** Calls `callback` once, not before `delayMs` have passed. Does not keep the process alive unless told to. */
  setTimer(delayMs: number, callback: () => void): Timer;
  /**
   * Calls `callback` in a later turn of the event loop, after input that is already there has been
   * handled.
   */
  defer(callback: () => void): void;
}

export interface Timer {
  cancel(): void;
  /** Keeps the process alive until the timer has fired or is cancelled: for one whose callback somebody awaits. */
  keepAlive(): void;
}

export interface Random {
  /** A uniform integer in [0, 2^32). */
  u32(): number;
  /** `length` random bytes; in NodeEnv fit for secrets. */
  bytes(length: number): Uint8Array;
}

/** Structured log lines: one JSON object per line. Never pass secrets or user data in `fields`. */
export interface Logger {
  debug(event: string, fields?: Record<string, unknown>): void;
  info(event: string, fields?: Record<string, unknown>): void;
  warn(event: string, fields?: Record<string, unknown>): void;
  error(event: string, fields?: Record<string, unknown>): void;
}

/**
 * Files and directories. Calls named `…Sync` may block the thread; the others use a thread pool.
 * Paths are absolute or relative to the process; a part only ever uses paths below the directory it was
 * given.
 */
export interface Disk {
  /**
   * Opens a file. `read`: must exist. `write`: read and write, must exist. `create`: read and write,
   * must not exist. Errors: NOT_FOUND, ALREADY_EXISTS, READ_ONLY, DISK_FULL, IO_ERROR.
   */
  open(path: string, mode: "read" | "write" | "create"): DiskFile;
  /** Creates a directory and its parents; no error where it exists. */
  makeDirectory(path: string): void;
  /** Names in a directory, sorted. */
  list(path: string): string[];
  exists(path: string): boolean;
  /** Size of a file in bytes. */
  size(path: string): number;
  rename(source: string, target: string): void;
  unlink(path: string): void;
  /**
   * Makes `target` another name of the file `source` (a hard link), or copies where links are not to
   * be had.
   */
  link(source: string, target: string): void;
  /** Makes creations, renames and removals in a directory durable. */
  syncDirectory(path: string): void;
  /** Free bytes for this user on the file system of `path`. */
  freeBytes(path: string): number;
  /**
   * Takes the directory for this process alone, until `release` or until the process dies.
   * Errors: LOCKED (the message names the process that holds it).
   */
  lock(directory: string): DiskLock;
}

export interface DiskLock {
  release(): void;
}

/**
 * An open file. Reads and writes are positional; a short write is an error (DISK_FULL or IO_ERROR),
 * never a success.
 */
export interface DiskFile {
  readonly path: string;
  /**
   * Reads up to `length` bytes into `target` at `targetOffset`; returns the count, less only at the
   * end of the file.
   */
  readSync(target: Uint8Array, targetOffset: number, length: number, position: number): number;
  read(target: Uint8Array, targetOffset: number, length: number, position: number): Promise<number>;
  writeSync(source: Uint8Array, sourceOffset: number, length: number, position: number): void;
  /**
   * Makes the file's written bytes durable (fdatasync). After an error the file must not be trusted or
   * synced again.
   */
  sync(): Promise<void>;
  syncSync(): void;
  /**
   * Makes sure that bytes [0, length) exist and that writing them later cannot fail for want of space;
   * zero-filled.
   */
  allocateSync(length: number): void;
  truncateSync(length: number): void;
  sizeSync(): number;
  close(): void;
}

export interface Network {
  /** Errors: ADDRESS_IN_USE, IO_ERROR. */
  listen(options: ListenOptions, onConnection: (connection: Connection) => void): Promise<Listener>;
  /**
   * Listens on a Unix-domain socket that this user alone may open; one that a dead server left is replaced, and `close`
   * removes it. Errors: INVALID_ARGUMENT (too long), ADDRESS_IN_USE, ALREADY_EXISTS (no socket), PERMISSION, IO_ERROR.
   */
  listenOnPath(path: string, onConnection: (connection: Connection) => void): Promise<Listener>;
  connect(options: { host: string; port: number }): Promise<Connection>;
}

export interface ListenOptions {
  host: string;
  /** 0 lets the system choose. */
  port: number;
  /** Connections that may wait to be accepted. */
  backlog?: number;
}

export interface Listener {
  /** The path, and port 0, of a socket that has one. */
  readonly host: string;
  readonly port: number;
  /** Stops accepting; connections that exist stay. */
  close(): Promise<void>;
}

/**
 * `taken`: the system has them, or the peer has gone; the caller may change the bytes. `held`: they wait, and must not
 * be changed. `full`: they wait, and the caller should wait for `onDrain`.
 */
export type Written = "taken" | "held" | "full";

/** A byte stream. Handlers are set once, before the first turn of the event loop ends. */
export interface Connection {
  readonly remoteAddress: string;
  /** Bytes accepted by `write` that the system has not taken yet. */
  readonly bufferedBytes: number;
  /**
   * Sends bytes; the caller must not change them afterwards. False when the caller should wait for
   * `onDrain`.
   */
  write(bytes: Uint8Array): boolean;
  /** As `write`, at once, for a caller who would use the bytes again. */
  writeNow(bytes: Uint8Array): Written;
  /** `bytes` are valid during the call only. */
  onData(handler: (bytes: Uint8Array) => void): void;
  onDrain(handler: () => void): void;
  /** Called exactly once, when the connection is gone, whatever the reason. */
  onClose(handler: (error: Error | undefined) => void): void;
  pause(): void;
  resume(): void;
  /** Sends what is buffered, then closes. */
  end(): void;
  /** Closes at once. */
  destroy(): void;
  /**
   * Goes on under TLS, as the server's side. Call it while bytes are handled: `received` are those that came behind the
   * peer's request for it, and are the beginning of its handshake. Handlers stay; a failed handshake closes the
   * connection. Undefined where a network has no TLS, as a simulated one.
   */
  startTls?(identity: TlsIdentity, received: Uint8Array): void;
}

/** What a server proves itself by. One object per identity: what is derived from it is kept with it. */
export interface TlsIdentity {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/**
 * Background jobs. A job is a generator function exported from a module: it takes an immutable input,
 * yields at every I/O (a number: it is to rest so many milliseconds), and returns an immutable output.
 * In production it runs to its end on a worker thread; under simulation the scheduler steps it between
 * other events.
 */
export interface Threads {
  /** How many jobs can run at once. */
  readonly concurrency: number;
  /**
   * Runs a job; `input` and the output are structured-cloned (SharedArrayBuffers are shared).
   * Errors: what the job threw (by `code`), or JOB_LOST where its thread died.
   */
  run<Input, Output>(job: JobReference, input: Input): Promise<Output>;
  close(): Promise<void>;
}

export interface JobReference {
  /** `import.meta.url` of the module, or a URL beside it. */
  moduleUrl: string;
  exportName: string;
}

/** What a job's generator gets beside its input: the doors it may use. */
export interface JobContext {
  readonly disk: Disk;
  readonly clock: Clock;
}

/** A number that a job yields is a time in milliseconds for which it is to rest. */
export type Job<Input, Output> = (context: JobContext, input: Input) => Generator<number | void, Output, void>;
