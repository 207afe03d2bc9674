/**
 * Which slots of its parts the wiring of a server calls, and the files behind them.
 *
 * A role has more slots than one product needs: what is called depends on the roles beside it.
 */
import type { SelectedParts } from "../composition.ts";
import { called, filesOfSlots, type UsedSlots } from "../part-exports.ts";
import type { Role } from "../role.ts";

const commonEntries = [
  "kit/product.ts", "kit/knob-table.ts", "kit/program-image.ts", "kit/serve-main.ts", "kit/env/env.ts",
  "kit/env/node-env.ts", "kit/prometheus.ts",
];

/** Of products whose surfaces take statements. */
const statementEntries = ["parts/query_processing/collect-results.ts"];

/** Files from which everything that a product needs can be reached, relative to the source root. */
export function wiringEntries(selected: SelectedParts): string[] {
  const ports = Object.values(selected).flatMap((part) => part.provides.map((port) => `parts/${port}`));
  const statements = selected.executor === undefined ? [] : statementEntries;
  return [...commonEntries, ...statements, ...filesOfSlots(selected, usedSlots(selected)), ...ports];
}

/** What the wiring calls: of every role what it needs in this company. */
export function usedSlots(selected: SelectedParts): UsedSlots {
  const { secondaryIndexes, openTransactions, mysqlSurface, httpSurface } = selected;
  const slots: Readonly<Record<Role, readonly (string | false)[]>> = {
    engine: ["open", hasTuning(selected) && "tuning"],
    log: ["open", "copy"],
    layout: ["layout"],
    catalog: ["create"],
    stateMachine: ["create", "codec", openTransactions !== undefined && "steps"],
    replicatedLog: ["open"],
    syncPolicy: ["create", mysqlSurface !== undefined && "facts", httpSurface !== undefined && "health"],
    rowCache: ["create"],
    secondaryIndexes: ["indexes"],
    openTransactions: ["create"],
    parser: [secondaryIndexes === undefined ? "parser" : "create"],
    executor: ["create", secondaryIndexes !== undefined && "indexedPlans"],
    keyValueStore: ["machine", "open", mysqlSurface !== undefined && "share"],
    tokenAuthority: ["create"],
    keyValueApi: ["create"],
    httpSurface: ["open"],
    mysqlSurface: ["open"],
    metricsEndpoint: ["open"],
    embeddedLibrary: [],
  };
  return (Object.keys(selected) as Role[]).flatMap((role) =>
    slots[role].flatMap((slot) => (slot === false ? [] : [[role, slot] as const])),
  );
}

export type SlotNames = (role: Role, slot: string) => string;

export function slotsOf(selected: SelectedParts): SlotNames {
  return (role, slot) => called(selected, role, slot);
}

/** Whether the engine has options that change while it is open. */
export function hasTuning({ engine }: SelectedParts): boolean {
  return engine?.exports.tuning !== undefined;
}
