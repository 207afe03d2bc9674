/**
 * The command line of a product: parsed without any dependency, every mistake with what would have been
 * right.
 */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { LatheError } from "./errors.ts";
import { knobValuesOf, parseKnobArgument, parseKnobFile } from "./knob-file.ts";
import { type KnobDefinition, resolveKnobs } from "./knob-table.ts";
import type { Profile } from "./product.ts";
import { exitCodeHelp } from "./serve-exit-codes.ts";
import { type TlsMode, tlsModes } from "./serve-tls.ts";
import { suggestion } from "./suggestion.ts";

export interface ServeArguments {
  readonly data: string;
  readonly host: string;
  readonly mysqlPort: number;
  /** Undefined: none. Absolute. */
  readonly mysqlSocket: string | undefined;
  readonly httpPort: number;
  readonly metricsPort: number | undefined;
  readonly user: string;
  readonly tokenRequired: boolean | undefined;
  /** Undefined: what the contract says. */
  readonly profile: Profile | undefined;
  readonly token: TokenRequest;
  readonly drainMs: number;
  readonly tls: TlsMode;
  readonly tlsCertificate: string | undefined;
  readonly tlsKey: string | undefined;
  readonly knobFiles: readonly string[];
  readonly knobs: Readonly<Record<string, number | string | boolean>>;
  readonly mode: "serve" | "rewrite" | "make-token" | "version" | "help";
}

/** A token to be made, for a person or program that will use the HTTP surface. */
export interface TokenRequest {
  readonly scopes: readonly string[];
  readonly days: number;
  readonly subject: string;
  /** Undefined: it is printed. */
  readonly file: string | undefined;
}

export type ServedSurface = "mysql" | "http";

interface Flag {
  readonly name: string;
  readonly value?: string;
  readonly text: string;
  /** Known only to products with this surface. */
  readonly surface?: ServedSurface;
}

/** Flags with what they mean; `--help` and the check for unknown ones come from here. */
export const serveFlags: readonly Flag[] = [
  { name: "--data", value: "DIR", text: "where the data live; created where missing (default ./data)" },
  { name: "--host", value: "HOST", text: "address to listen on (default 127.0.0.1)" },
  {
    name: "--mysql-port", value: "N", surface: "mysql",
    text: "port of the MySQL protocol, 0 lets the system choose (default 3306)",
  },
  {
    name: "--socket", value: "PATH", surface: "mysql",
    text: "also listen there, on a Unix socket for this user alone (mode 0600; default: none)",
  },
  {
    name: "--http-port", value: "N", surface: "http",
    text: "port of the HTTP API, 0 lets the system choose (default 8080)",
  },
  { name: "--metrics-port", value: "N", text: "port of /metrics, 0 lets the system choose (default: none)" },
  {
    name: "--user", value: "NAME", surface: "mysql",
    text: "the one user (default lathe); its password comes from LATHE_PASSWORD",
  },
  {
    name: "--require-token", surface: "http",
    text: "every request needs a token, on loopback too (elsewhere it always does)",
  },
  {
    name: "--make-token", value: "SCOPES", surface: "http",
    text: "print a token for read, write or admin (several with commas), then exit",
  },
  { name: "--token-days", value: "N", surface: "http", text: "how long that token is valid (default 30)" },
  { name: "--token-subject", value: "NAME", surface: "http", text: "whose it is, for people (default lathe)" },
  { name: "--token-file", value: "FILE", surface: "http", text: "write it there, readable by its owner alone" },
  {
    name: "--profile", value: "safe|fast",
    text: "safe: answered means flushed. fast: before it is, where the contract allows losses (default there)",
  },
  { name: "--drain-ms", value: "N", text: "how long running statements may take to end on SIGTERM (default 10000)" },
  { name: "--tls", value: "MODE", text: "auto (required beyond loopback, off on it), off, offered or required" },
  { name: "--tls-cert", value: "FILE", text: "certificate (PEM); without one, one is made and kept with the data" },
  { name: "--tls-key", value: "FILE", text: "its key (PEM)" },
  { name: "--knobs", value: "FILE", text: "knob values that override knobs.yaml" },
  { name: "--knob", value: "NAME=VALUE", text: "one knob value that overrides both; may be repeated" },
  { name: "--rewrite", text: "rewrite all files with the present knobs, then exit" },
  { name: "--version", text: "name, version and selection hash" },
  { name: "--help", text: "this text" },
];

/** The flags of a product with these surfaces. */
function flagsOf(surfaces: readonly ServedSurface[]): readonly Flag[] {
  return serveFlags.filter(({ surface }) => surface === undefined || surfaces.includes(surface));
}

/** Errors: INVALID_ARGUMENT. */
export function parseServeArguments(
  argv: readonly string[],
  surfaces: readonly ServedSurface[] = ["mysql"],
): ServeArguments {
  const flags = flagsOf(surfaces);
  const values = new Map<string, string>();
  const knobFiles: string[] = [];
  const knobs: Record<string, number | string | boolean> = {};
  let mode: ServeArguments["mode"] = "serve";
  for (let at = 0; at < argv.length; at++) {
    const [name, inline] = splitFlag(argv[at]);
    const flag = flags.find((one) => one.name === name);
    if (flag === undefined) {
      throw wrong(`unknown argument ${name}${suggestion(name, flags.map((one) => one.name))}`);
    }
    if (flag.name === "--require-token") {
      values.set(flag.name, "yes");
      continue;
    }
    if (flag.value === undefined) {
      mode = name.slice(2) as ServeArguments["mode"];
      continue;
    }
    const value = inline ?? argv[++at];
    if (value === undefined || value === "") throw wrong(`${name} needs a value: ${name} ${flag.value}`);
    if (name === "--knobs") knobFiles.push(value);
    else if (name === "--knob") {
      const [knob, scalar] = parseKnobArgument(value);
      knobs[knob] = scalar;
    } else values.set(name, value);
    if (name === "--make-token") mode = "make-token";
  }
  const metricsPort = values.get("--metrics-port");
  const socket = values.get("--socket");
  return {
    data: values.get("--data") ?? "data",
    host: values.get("--host") ?? "127.0.0.1",
    mysqlPort: wholeNumber("--mysql-port", values.get("--mysql-port") ?? "3306", 65535),
    mysqlSocket: socket === undefined ? undefined : resolve(socket),
    httpPort: wholeNumber("--http-port", values.get("--http-port") ?? "8080", 65535),
    metricsPort: metricsPort === undefined ? undefined : wholeNumber("--metrics-port", metricsPort, 65535),
    user: userName(values.get("--user") ?? "lathe"),
    tokenRequired: values.has("--require-token") ? true : undefined,
    profile: profileName(values.get("--profile")),
    token: {
      scopes: (values.get("--make-token") ?? "").split(",").map((scope) => scope.trim()),
      days: wholeNumber("--token-days", values.get("--token-days") ?? "30", 3660),
      subject: values.get("--token-subject") ?? "lathe",
      file: values.get("--token-file"),
    },
    drainMs: wholeNumber("--drain-ms", values.get("--drain-ms") ?? "10000", 3_600_000),
    tls: tlsMode(values.get("--tls") ?? "auto"),
    tlsCertificate: values.get("--tls-cert"),
    tlsKey: values.get("--tls-key"),
    knobFiles,
    knobs,
    mode,
  };
}

/** The assignment in force: defaults, then `knobs.yaml` of the product, then --knobs, then --knob. */
export function knobsInForce(
  productDirectory: string,
  table: readonly KnobDefinition[],
  parsed: Pick<ServeArguments, "knobFiles" | "knobs">,
): Record<string, number | string | boolean> {
  let values: Record<string, number | string | boolean> = {};
  for (const file of [join(productDirectory, "knobs.yaml"), ...parsed.knobFiles]) {
    values = { ...values, ...knobValuesOf(parseKnobFile(readText(file), file)) };
  }
  return resolveKnobs(table, { ...values, ...parsed.knobs });
}

export function serveHelp(
  name: string,
  description: string,
  surfaces: readonly ServedSurface[] = ["mysql"],
): string {
  const flags = flagsOf(surfaces).map((flag) => `  ${`${flag.name} ${flag.value ?? ""}`.padEnd(24)}${flag.text}`);
  const ports = surfaces.map((surface) => `--${surface}-port ${surface === "mysql" ? 3306 : 8080}`).join(" ");
  return [
    `${name}: ${description}`, "", "usage: node main.js [flags]", "", ...flags, "", "examples:",
    `  node main.js --data ./data ${ports}`,
    ...(surfaces.includes("mysql")
      ? ["  LATHE_PASSWORD=secret node main.js --data ./data --mysql-port 0 --metrics-port 9100"]
      : []),
    ...(surfaces.includes("http") ? ["  node main.js --data ./data --make-token read,write --token-days 7"] : []),
    "",
    "signals:",
    "  SIGHUP                reads the knob files again; live knobs change at once, the log names those",
    "                        that need a restart",
    "  SIGTERM, SIGINT       lets running statements end, closes and exits; a second one exits at once", "",
    "exit codes:", exitCodeHelp(), "",
  ].join("\n");
}

function splitFlag(argument: string): [string, string | undefined] {
  const at = argument.startsWith("--") ? argument.indexOf("=") : -1;
  return at < 0 ? [argument, undefined] : [argument.slice(0, at), argument.slice(at + 1)];
}

function wholeNumber(flag: string, text: string, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= max)) throw wrong(`${flag} ${text}: expected a whole number from 0 to ${max}`);
  return value;
}

function profileName(text: string | undefined): Profile | undefined {
  if (text === undefined || text === "safe" || text === "fast") return text;
  throw wrong(`--profile ${text}: expected safe or fast`);
}

function userName(text: string): string {
  if (!/^[A-Za-z0-9_.-]{1,32}$/.test(text)) throw wrong(`--user ${text}: expected 1 to 32 letters, digits, _ . or -`);
  return text;
}

function tlsMode(text: string): TlsMode {
  const mode = tlsModes.find((one) => one === text);
  if (mode === undefined) throw wrong(`--tls ${text}: expected one of ${tlsModes.join(", ")}`);
  return mode;
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new LatheError("NOT_FOUND", `cannot read the knob file ${file}: ${(cause as Error).message}`, { cause });
  }
}

function wrong(message: string): LatheError {
  return new LatheError("INVALID_ARGUMENT", message);
}
