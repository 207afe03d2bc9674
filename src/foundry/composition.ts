/**
 * From a selection to the parts that a product is made of, each in its role.
 *
 * Steps:
 *   1. a part is taken when its primary leaf is selected;
 *   2. every selected leaf must be implemented by a part that is taken; those that are not are `missing`;
 *   3. a role holds one part: two for one role are a clash;
 *   4. what the wiring cannot do without must be there: what every product has, and either a library or a server.
 * `composeParts` tells all of this as a value, so that whoever draws selections can count; `wiredComposition` refuses
 * what cannot be wired. Neither looks at the contract: what it demands has become leaves before.
 * Invariants: parts stand in the order of roles; the same leaves and library give the same composition.
 */
import { LatheError } from "../kit/errors.ts";
import { implementedLeaves, type PartDescriptor } from "./part-descriptor.ts";
import { type Role, roleNames, roleSpec } from "./role.ts";

export type SelectedParts = Readonly<Partial<Record<Role, PartDescriptor>>>;

/** Two or more parts for a role that holds one. */
export interface RoleClash {
  readonly role: Role;
  readonly parts: readonly string[];
}

export interface Composition {
  readonly selected: SelectedParts;
  /** In the order of roles. */
  readonly parts: readonly PartDescriptor[];
  /** Selected leaves that no part taken implements. */
  readonly missing: readonly string[];
  readonly clashes: readonly RoleClash[];
  /** Roles that the wiring needs and nobody takes. */
  readonly vacant: readonly Role[];
  /** A server that nothing answers for, whichever surface that were. */
  readonly unreachable: boolean;
  /** Parts that the wiring of a library has no place for. */
  readonly misplaced: readonly PartDescriptor[];
}

/** What every product opens. */
export const always: readonly Role[] = ["engine", "log", "layout", "catalog", "stateMachine", "replicatedLog"];
export const ofLibraries: readonly Role[] = [...always, "embeddedLibrary"];
/** What one role cannot do without. */
export const companions: Readonly<Partial<Record<Role, readonly Role[]>>> = {
  httpSurface: ["keyValueApi"],
  keyValueApi: ["keyValueStore", "tokenAuthority", "httpSurface"],
  // Without a surface that asks them nothing would reach them.
  keyValueStore: ["keyValueApi"],
  tokenAuthority: ["keyValueApi"],
  mysqlSurface: ["parser", "executor"],
  // What reads and answers statements has no place where nobody can send one.
  parser: ["mysqlSurface"],
  executor: ["mysqlSurface"],
  secondaryIndexes: ["mysqlSurface"],
  openTransactions: ["mysqlSurface"],
};
/** A server answers at one of these. */
export const surfaces: readonly Role[] = ["mysqlSurface", "httpSurface"];

export function composeParts(leaves: readonly string[], library: readonly PartDescriptor[]): Composition {
  const wanted = new Set(leaves);
  const taken = library.filter((part) => wanted.has(part.leaves[0]));
  const selected: Partial<Record<Role, PartDescriptor>> = {};
  const clashes: RoleClash[] = [];
  for (const role of roleNames) {
    const holders = taken.filter((part) => part.role === role);
    if (holders.length > 1) clashes.push({ role, parts: holders.map(({ path }) => path).sort() });
    if (holders.length > 0) selected[role] = holders[0];
  }
  const parts = Object.values(selected);
  const implemented = new Set(parts.flatMap(implementedLeaves));
  const vacant = vacantRoles(selected);
  const reached = isLibrary(selected) || surfaces.some((role) => selected[role] !== undefined || vacant.includes(role));
  return {
    selected,
    parts,
    missing: leaves.filter((leaf) => !implemented.has(leaf)),
    clashes,
    vacant,
    unreachable: !reached,
    misplaced: isLibrary(selected) ? parts.filter(({ role }) => !ofLibraries.includes(role)) : [],
  };
}

function vacantRoles(selected: SelectedParts): Role[] {
  const taken = Object.keys(selected) as Role[];
  const needed = new Set<Role>([...always, ...taken.flatMap((role) => companions[role] ?? [])]);
  return [...needed].filter((role) => selected[role] === undefined);
}

/** Whether the product is a library in its user's process, and nothing beside it. */
export function isLibrary({ embeddedLibrary }: SelectedParts): boolean {
  return embeddedLibrary !== undefined;
}

/**
 * A composition that can be wired. Errors: INVALID_ARGUMENT where a role is taken twice or a part has no place;
 * NOT_SELECTED where the wiring needs a role that nobody takes, with the leaves that would fill it. Leaves without a
 * part are not looked at.
 */
export function wiredComposition(leaves: readonly string[], library: readonly PartDescriptor[]): Composition {
  const composition = composeParts(leaves, library);
  const { clashes, vacant, unreachable, misplaced } = composition;
  const wrong = [
    ...clashes.map(({ role, parts }) =>
      `the role ${role} (${roleSpec(role).purpose}) holds one part, and ${parts.length} are selected: ` +
      `${parts.join(", ")}; leave one out with --without`,
    ),
    ...misplaced.map(({ path, role }) =>
      `${path} takes the role ${role}, for which a library has no place; leave it out with --without ${path}`,
    ),
  ];
  if (wrong.length > 0) throw new LatheError("INVALID_ARGUMENT", wrong.join("\n"), { details: { clashes } });
  const offerOf = (roles: readonly Role[]) => {
    const paths = roles.flatMap((role) => library.filter((part) => part.role === role).map(({ path }) => path));
    return paths.length === 0 ? "the library has none" : `select one with --with ${paths.join(", or --with ")}`;
  };
  const lines = vacant.map((role) => `nothing selected ${roleSpec(role).purpose} (role ${role}); ${offerOf([role])}`);
  if (unreachable) lines.push(`no client could reach this server: nothing selected answers one; ${offerOf(surfaces)}`);
  if (lines.length === 0) return composition;
  throw new LatheError("NOT_SELECTED", lines.join("\n"), { details: { vacant } });
}
