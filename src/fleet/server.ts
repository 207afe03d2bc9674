/**
 * RunningServer: a database process under the workshop's control: a product of ours, MariaDB, or a stub.
 *
 * The workshop measures it from outside: CPU from the kernel's accounting of the process, memory from the
 * kernel's resident set, latency by its own clients.
 */
export interface RunningServer {
  readonly name: string;
  readonly processId: number;
  readonly endpoint: Endpoint;
  /** Prometheus endpoint of the server, where it has one. */
  readonly metricsPort: number | undefined;
  /** User and system CPU time of the process and its threads since its start, in microseconds. */
  cpuUs(): number;
  /** Resident memory now and at its highest since the start (kernel's figures), in bytes. */
  memory(): { residentBytes: number; peakBytes: number };
  /** SIGSTOP and SIGCONT: a frozen server takes no CPU while the other side is measured. */
  freeze(): void;
  thaw(): void;
  /** SIGTERM, then waits. Errors: TIMEOUT. */
  stop(timeoutMs?: number): Promise<void>;
  /** SIGKILL, then waits until it is gone. */
  kill(): Promise<void>;
  /** Resolves when the process has ended, however it did. */
  readonly ended: Promise<ServerEnd>;
}

export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** A Unix-domain socket beside the port, where there is one. */
  readonly socketPath?: string | undefined;
  readonly user: string;
  readonly password: string;
  readonly database?: string | undefined;
  /** Undefined: TLS is used where the server offers it, and nobody looks at who it is. */
  readonly tls?: TlsTrust | undefined;
}

/** Whom a client takes for the server under TLS: certificates of the system's authorities, or of the one given. */
export interface TlsTrust {
  /** PEM; also a self-made certificate of the server's. Undefined: those that Node knows. */
  readonly ca: string | undefined;
}

export interface ServerEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** The last lines that it wrote to its log, for error messages. */
  readonly logTail: string;
}
