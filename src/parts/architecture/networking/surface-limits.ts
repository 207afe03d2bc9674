/**
 * What limits of a surface are: a table of rows, and values that are the defaults but for what was given.
 *
 * Each surface keeps its own table; how values are checked and what a wrong one is told is the same for all.
 */
import { LatheError } from "../../../kit/errors.ts";

export interface SurfaceLimit {
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly meaning: string;
}

export type SurfaceLimitTable = Readonly<Record<string, SurfaceLimit>>;

/** A value for each limit of a table. */
export type LimitsOf<Table extends SurfaceLimitTable> = { readonly [name in keyof Table]: number };

const backlogMin = 4096;

/**
 * How many connections the system may hold until they are accepted: all that the surface would serve or queue, or a
 * burst of them is dropped before anybody could be told, and comes again only after seconds. The system has a bound of
 * its own (`somaxconn`).
 */
export function backlogFor(connectionsMax: number, queuedMax: number): number {
  return Math.max(backlogMin, connectionsMax + queuedMax);
}

/**
 * From the defaults and what was given to a surface ("HTTP", "MySQL"). Errors: INVALID_ARGUMENT for an unknown name or
 * a value out of range.
 */
export function resolveSurfaceLimits<Table extends SurfaceLimitTable>(
  surface: string,
  table: Table,
  given: Partial<LimitsOf<Table>>,
): LimitsOf<Table> {
  const limits: Record<string, number> = {};
  for (const [name, limit] of Object.entries(table)) limits[name] = limit.default;
  for (const [name, value] of Object.entries(given as Readonly<Record<string, number>>)) {
    if (!Object.hasOwn(table, name)) {
      throw new LatheError("INVALID_ARGUMENT", `the ${surface} surface has no limit named ${name}`);
    }
    const { min, max, meaning } = table[name];
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new LatheError(
        "INVALID_ARGUMENT", `${name} is ${value}; give an integer from ${min} to ${max} (${meaning})`,
      );
    }
    limits[name] = value;
  }
  return limits as LimitsOf<Table>;
}
