/** `lathe serve PRODUCT --data DIR --mysql-port N --user U --password P`. */
import type { Command } from "commander";
import { serveProduct } from "../../app/serve.ts";
import { runAction, withFrame } from "../command-frame.ts";
import { collect, wholeNumber } from "../knob-arguments.ts";

interface ServeOptions {
  readonly data: string;
  readonly host: string;
  readonly mysqlPort?: number;
  readonly socket?: string;
  readonly httpPort?: number;
  readonly requireToken?: boolean;
  readonly metricsPort?: number;
  readonly user?: string;
  readonly password?: string;
  readonly tls?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly knob: readonly string[];
  readonly json?: boolean;
}

export function registerServe(program: Command): void {
  const command = program
    .command("serve")
    .description("run a product in the foreground; Ctrl-C or SIGTERM drains it")
    .argument("<product>", "directory that `lathe build` wrote")
    .option("--data <dir>", "where the data live; created where missing", "data")
    .option("--host <host>", "address to listen on", "127.0.0.1")
    .option("--mysql-port <n>", "port of the MySQL protocol; 0 lets the system choose (3306)", wholeNumber(0, 65535))
    .option("--socket <path>", "MySQL on a Unix socket as well, for this user alone (default: none)")
    .option("--http-port <n>", "port of the HTTP API; 0 lets the system choose (8080)", wholeNumber(0, 65535))
    .option("--require-token", "every HTTP request needs a token, on loopback too")
    .option("--metrics-port <n>", "port of /metrics (default: none)", wholeNumber(0, 65535))
    .option("--user <name>", "the one user of the MySQL protocol (lathe)")
    .option("--password <password>", "its password; LATHE_PASSWORD keeps it out of the process list")
    .option("--tls <mode>", "auto, off, offered or required (default auto: required beyond loopback, off on it)")
    .option("--tls-cert <file>", "certificate (PEM); without one, one is made and kept with the data")
    .option("--tls-key <file>", "its key (PEM)")
    .option("--knob <name=value>", "one knob value; may be repeated", collect, []);
  withFrame(command, {
    examples: [
      "lathe serve build/taobench-o --data ./data --mysql-port 3306",
      "lathe serve build/sndv-kv --data ./data --http-port 8080",
      "LATHE_PASSWORD=secret lathe serve build/taobench-o --data ./data --mysql-port 0 --metrics-port 9100",
    ],
    exitCodes: [3, 4, 5, 6, 7],
  }).action((product: string, options: ServeOptions) =>
    runAction(options.json, async ({ signal }) => {
      const { data, host, mysqlPort, socket, httpPort, metricsPort, user, password, knob } = options;
      const { tls, tlsCert, tlsKey } = options;
      const where = { productDirectory: product, data, host, mysqlPort, socket, httpPort, metricsPort };
      const tokenRequired = options.requireToken ?? false;
      const request = { ...where, user, password, tokenRequired, knobs: knob, tls, tlsCert, tlsKey };
      const outcome = await serveProduct(request, signal);
      return { json: outcome, text: "", exitCode: outcome.exitCode };
    }),
  );
}
