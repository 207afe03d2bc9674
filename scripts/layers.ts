/**
 * The layer law as data: which room of `src/` may import which.
 *
 * `kit ← parts`, `kit ← simulation`, and one chain from knobs to app: a room may import every room to
 * its left. `parts` imports `kit` and other parts' ports only. `app` wires what crosses, so it may import
 * everything but surfaces.
 */
export const chain = [
  "knobs", "traces", "contract", "model", "foundry", "fleet", "workload", "bench", "gates", "journal",
  "search", "study", "agents", "report", "app",
] as const;

const surfaces = ["cli", "mcp", "studio"] as const;

export const rooms: readonly string[] = ["kit", "parts", "simulation", ...chain, ...surfaces];

/** Rooms that a room may import, itself included. */
export function allowedRooms(room: string): readonly string[] {
  if (room === "kit") return ["kit"];
  if (room === "parts" || room === "simulation") return ["kit", room];
  if ((surfaces as readonly string[]).includes(room)) return ["kit", "app", room];
  const position = (chain as readonly string[]).indexOf(room);
  const allowed = ["kit", ...chain.slice(0, position + 1)];
  // `knobs` and `traces` stand beside one another at the start of the chain.
  if (room === "traces") allowed.splice(allowed.indexOf("knobs"), 1);
  if (room === "gates") allowed.push("simulation");
  if (room === "app") allowed.push("parts", "simulation");
  return allowed;
}

export function forbiddenRooms(room: string): readonly string[] {
  const allowed = allowedRooms(room);
  return rooms.filter((other) => !allowed.includes(other));
}
