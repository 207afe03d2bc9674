/**
 * Cooperate edges that a product of the library can have, and what tests them: the law of joint tests.
 *
 * Steps:
 *   1. an edge of the model stands for every pair of leaves below its ends that parts implement;
 *   2. the solver says of each pair at which doors a product that has both can be asked; pairs that no product has
 *      are left aside, for nothing could break them;
 *   3. each of these needs a test point whose template has that door; a point, or a door of one, without a pair is
 *      idle.
 */
import type { FeatureModel } from "../../model/feature-model.ts";
import { Reasoner } from "../../model/reasoner.ts";
import { libraryModel } from "../library-model.ts";
import { implementedLeaves, type PartDescriptor } from "../part-descriptor.ts";
import { type TestDoor, testPointOf, testPoints as allPoints, type TestPoint } from "./test-point.ts";

export interface JointEdge {
  /** Leaves. */
  readonly ends: readonly [string, string];
  /** Of products that can have both. */
  readonly doors: readonly TestDoor[];
}

const overMysql = "architecture/networking/wire_protocols/mysql_classic";
const overHttp = "architecture/networking/transports/http";
const library = "architecture/model/embedded_library";

/** As `contract-node-files.ts` takes them: keys are asked for where nothing reads SQL. */
const leavesOfDoor: Readonly<Record<TestDoor, { readonly chosen: string[]; readonly excluded: string[] }>> = {
  sql: { chosen: [overMysql], excluded: [] },
  "key-value": { chosen: [overHttp], excluded: [overMysql] },
  embedded: { chosen: [library], excluded: [] },
};
const doors = Object.keys(leavesOfDoor) as TestDoor[];

/** Without those that no product can have. */
export function jointEdges(
  space: { readonly model: FeatureModel; readonly library: readonly PartDescriptor[] },
): JointEdge[] {
  const { model } = space;
  const reasoner = new Reasoner(libraryModel(model, space.library));
  const implemented = new Set(space.library.flatMap(implementedLeaves));
  const ends = (end: string) => model.leavesBelow(end).map(({ path }) => path).filter((path) => implemented.has(path));
  const pairs = model.edgesOf("cooperate").flatMap(({ from, to }) =>
    ends(from).flatMap((one) => ends(to).map((other): [string, string] => [one, other])),
  );
  const possible = ([one, other]: [string, string], door: TestDoor) => {
    const { chosen, excluded } = leavesOfDoor[door];
    return reasoner.satisfiable(reasoner.literalsOf({ chosen: [...chosen, one, other], excluded }));
  };
  return pairs
    .map((pair): JointEdge => ({ ends: pair, doors: doors.filter((door) => possible(pair, door)) }))
    .filter((edge) => edge.doors.length > 0);
}

/** A line for every edge, and door of it, that no test point has. */
export function untestedEdges(edges: readonly JointEdge[], points = allPoints): string[] {
  return edges.flatMap(({ ends, doors: wanted }) => {
    const tested = testPointOf(ends, points)?.doors ?? [];
    return wanted.filter((door) => !tested.includes(door)).map((door) => lineOf(ends, door));
  });
}

/** A line for every test point without an edge, and for every door of one that no product of the edge has. */
export function idlePoints(edges: readonly JointEdge[], points: readonly TestPoint[] = allPoints): string[] {
  return points.flatMap((point) => {
    const edge = edges.find(({ ends }) => testPointOf(ends, [point]) !== undefined);
    if (edge === undefined) return [point.edge.join(" = ")];
    return point.doors.filter((door) => !edge.doors.includes(door)).map((door) => lineOf(point.edge, door));
  });
}

function lineOf(ends: readonly string[], door: TestDoor): string {
  return `${ends.join(" = ")} in products asked by ${door}`;
}
