/**
 * Reads a trace of system calls (`strace -f -y`) for what a database has no business with: the network, other programs,
 * other processes, and files outside of its directory.
 *
 * A call that was refused counts as well: it was tried.
 */
export interface Trespass {
  readonly kind: "network" | "program" | "process" | "file";
  readonly what: string;
}

export const tracedCalls = [
  "connect", "sendto", "sendmsg", "sendmmsg", "bind", "listen", "execve", "execveat", "kill", "tkill", "ptrace",
  "openat", "open", "creat", "unlink", "unlinkat", "rename", "renameat", "renameat2", "mkdir", "mkdirat", "rmdir",
  "link", "linkat", "symlink", "symlinkat", "truncate", "chmod", "fchmodat", "mknodat", "mount",
];

const networkCalls = new Set(["connect", "sendto", "sendmsg", "sendmmsg", "bind", "listen"]);
const programCalls = new Set(["execve", "execveat"]);
const processCalls = new Set(["kill", "tkill", "ptrace"]);

/** `allowed`: directories that may be written; with them what every process writes to (/dev/null and its like). */
export function trespassesOf(trace: string, allowed: readonly string[]): Trespass[] {
  const found = new Map<string, Trespass>();
  let programs = 0;
  for (const line of trace.split("\n")) {
    const call = /^\d+\s+(\w+)\((.*)$/.exec(line);
    if (call === null) continue;
    const [, name, rest] = call;
    let trespass: Trespass | undefined;
    if (networkCalls.has(name)) trespass = networkTrespass(name, rest);
    // The first program is the one that was started.
    else if (programCalls.has(name)) trespass = programs++ === 0 ? undefined : { kind: "program", what: cut(rest) };
    else if (processCalls.has(name)) trespass = { kind: "process", what: `${name}(${cut(rest)}` };
    else trespass = fileTrespass(name, rest, allowed);
    if (trespass !== undefined) found.set(`${trespass.kind} ${trespass.what}`, trespass);
  }
  return [...found.values()];
}

function networkTrespass(name: string, rest: string): Trespass | undefined {
  if (name === "listen") return { kind: "network", what: "listen" };
  if (!/sa_family=|sin_addr|sun_path/.test(rest)) return undefined;
  const port = /sin6?_port=htons\((\d+)\)/.exec(rest)?.[1];
  const internet = /inet_(?:addr|pton)\((?:AF_INET6, )?"([^"]+)"/.exec(rest)?.[1];
  const address = internet ?? /sun_path=@?"([^"]+)"/.exec(rest)?.[1];
  return { kind: "network", what: `${name} to ${address ?? "an address"}${port === undefined ? "" : `:${port}`}` };
}

/** A path that is changed, or opened for writing, outside of what is allowed. */
function fileTrespass(name: string, rest: string, allowed: readonly string[]): Trespass | undefined {
  if ((name === "openat" || name === "open") && !/O_(WRONLY|RDWR|CREAT|TRUNC)/.test(rest)) return undefined;
  const base = /^(?:AT_FDCWD|\d+)<([^>]*)>/.exec(rest)?.[1];
  const paths = [...rest.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, path]) => path);
  const whole = paths.map((path) => (path.startsWith("/") ? path : `${base ?? ""}/${path}`));
  const outside = whole.find((path) => !isAllowed(path, allowed));
  return outside === undefined ? undefined : { kind: "file", what: `${name} ${outside}` };
}

function isAllowed(path: string, allowed: readonly string[]): boolean {
  if (/(^|\/)\.\.(\/|$)/.test(path)) return false;
  return [...allowed, "/dev/null", "/dev/tty", "/proc/self"].some((one) => path === one || path.startsWith(`${one}/`));
}

function cut(text: string): string {
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
}
