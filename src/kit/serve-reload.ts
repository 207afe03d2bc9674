/**
 * SIGHUP: reads the knob files again and changes, in the running product, what can change there.
 *
 *   1. Read `knobs.yaml` and the files of --knobs again; --knob still overrides them. What is wrong with them is
 *      logged, and everything stays as it was.
 *   2. Knobs that differ and are live go to the product, all or none.
 *   3. Knobs that differ and are not live are named in the log: they take effect at the next start.
 * Source: PostgreSQL's pg_reload_conf, nginx's and HAProxy's use of SIGHUP.
 */
import type { Env } from "./env/env.ts";
import type { KnobDefinition } from "./knob-table.ts";
import type { KnobValues, Product } from "./product.ts";
import { knobsInForce, type ServeArguments } from "./serve-arguments.ts";
import { describeFailure } from "./serve-exit-codes.ts";

interface ReloadOptions {
  readonly directory: string;
  readonly knobTable: readonly KnobDefinition[];
  readonly parsed: Pick<ServeArguments, "knobFiles" | "knobs">;
  readonly product: Pick<Product, "reconfigure">;
  readonly log: Env["log"];
}

/** Reloads once; `present` are the values in force, the result those in force from now on. Never throws. */
export function reloadKnobs(options: ReloadOptions, present: KnobValues): KnobValues {
  const { directory, knobTable, parsed, product, log } = options;
  try {
    const wanted = knobsInForce(directory, knobTable, parsed);
    const differing = knobTable.filter(({ name }) => wanted[name] !== present[name]);
    const live = differing.filter((knob) => knob.live === true && product.reconfigure !== undefined);
    const pending = differing.filter((knob) => !live.includes(knob)).map(({ name }) => name);
    const changes = Object.fromEntries(live.map(({ name }) => [name, wanted[name]]));
    if (live.length > 0) product.reconfigure?.(changes);
    log.info("knobs reloaded", { changed: changes });
    if (pending.length > 0) log.warn("knobs need a restart", { knobs: pending });
    return { ...present, ...changes };
  } catch (error) {
    log.error("knobs not reloaded", { message: describeFailure(error) });
    return present;
  }
}

/** Reloads on every SIGHUP. */
export function reloadOnSignal(options: ReloadOptions, inForce: KnobValues): void {
  let present = inForce;
  process.on("SIGHUP", () => {
    present = reloadKnobs(options, present);
  });
}
