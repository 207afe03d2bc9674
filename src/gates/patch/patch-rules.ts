/**
 * PatchRules: which files of a product a patch may touch.
 *
 * A patch changes the database: TypeScript of `parts/` and `kit/`. What says what the product promises (its contract,
 * selection and knobs), how it is started and measured, and what judges it, stays as it was built: a candidate that
 * could change these would be judged by itself.
 */
export interface RefusedPath {
  readonly path: string;
  readonly reason: string;
}

/** First rule that holds; the path is relative to the product, with `/`. */
const rules: readonly { readonly pattern: RegExp; readonly reason: string }[] = [
  { pattern: /^\/|^[A-Za-z]:|^~/, reason: "an absolute path; a patch stays inside the product" },
  { pattern: /(^|\/)\.\.?(\/|$)|\/\/|\\/, reason: "a path that leaves the product or is not in its plain form" },
  { pattern: /[^A-Za-z0-9_./-]/, reason: "a name with other signs than letters, digits and ./-_" },
  { pattern: /(^|\/)\.[^/]*/, reason: "a hidden file: studies, the build's record and git are the workshop's" },
  { pattern: /(^|\/)node_modules(\/|$)/, reason: "a package; products have none" },
  {
    pattern: /^src\//,
    reason: "the workshop's own sources, gates and drivers; a patch is over a product (kit/, parts/)",
  },
  {
    pattern: /(^|\/)test\/|\.(test|fuzz|bench|conformance|fixture)\.ts$/,
    reason: "a test: a product is judged by the workshop's own",
  },
  {
    pattern: /^((product|serve|knobs)\.ts|main\.js)$/,
    reason: "generated from the contract: the wiring by which gates open and start the product",
  },
  { pattern: /^knobs\.yaml$/, reason: "knob values; set those with `lathe build --knob` or a study, not by a patch" },
  {
    pattern: /^(contract\.yaml|selection\.json|plan\.json)$/,
    reason: "what the product promises and is made of; change the contract",
  },
  { pattern: /^(package(-lock)?|tsconfig)\.json$/, reason: "how the product is packaged and started" },
  {
    pattern: /^kit\/(product|serve-[a-z-]+|knob-[a-z-]+|metric|prometheus)\.ts$/,
    reason: "the door through which drivers and gates start the product, set knobs and read figures",
  },
  { pattern: /^(?!(kit|parts)\/)/, reason: "not a file of kit/ or parts/, which hold the database" },
  { pattern: /(?<!\.ts)$/, reason: "not a TypeScript source" },
];

/** Why a path may not be touched, or undefined. */
export function reasonAgainst(path: string): string | undefined {
  if (path.length > 240) return "a path of more than 240 letters";
  return rules.find(({ pattern }) => pattern.test(path))?.reason;
}

/** What may be patched, for help. */
export const patchScope =
  "TypeScript of kit/ and parts/, but for tests and the doors of drivers and gates (kit/product.ts, kit/serve-*.ts, " +
  "kit/knob-*.ts, kit/metric.ts, kit/prometheus.ts)";
