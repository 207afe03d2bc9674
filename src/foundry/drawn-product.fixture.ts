/**
 * Products of drawn selections: a contract that fits what was drawn, and the product that both make.
 *
 * A drawn selection says which parts there are; the contract says what the wiring makes of them: tables, indexes, how
 * long an interval of loss may be. The contract is varied by the drawn number too, so that products of one composition
 * differ.
 */
import type { Contract } from "../contract/contract.ts";
import { problemsError, parseContract } from "../contract/parse.ts";
import { canonicalHash } from "../contract/canonical-json.ts";
import type { KnobValues } from "../kit/product.ts";
import { loadKnobCatalog } from "../knobs/catalog.ts";
import { type AssembledProduct, assembleProduct } from "./build.ts";
import { designSpace } from "./select/design-space.ts";
import type { FeatureSelection } from "./select/feature-selection.ts";
import { modelVersion } from "./select/model-version.ts";

const keyValueTable = {
  name: "pairs",
  columns: [
    { name: "k", type: "varbinary", length_max: 64 },
    { name: "v", type: "varbinary", length_max: 4000 },
    { name: "version", type: "bigint" },
    { name: "expires_ms", type: "bigint", nullable: true },
  ],
  primary_key: ["k"],
  rows: 1000,
};

function rowTable(number: number, indexed: boolean) {
  const columns: object[] = [
    { name: "id", type: "bigint" },
    { name: "part", type: "int" },
    { name: "body", type: "varchar", length_max: 100 + number % 7, nullable: true },
    ...(number % 2 === 0 ? [{ name: "weight", type: "double", nullable: true }] : []),
  ];
  const indexes = [
    { name: "by_part", columns: ["part"] },
    ...(number % 3 === 0 ? [{ name: "by_part_body", columns: ["part", "body"] }] : []),
  ];
  return {
    name: `rows${number % 5}`, columns, primary_key: number % 4 === 0 ? ["id", "part"] : ["id"], rows: 1000,
    ...(indexed ? { indexes } : {}),
  };
}

/** The leaves decide; the number varies what they leave open. */
export function contractOf(name: string, leaves: readonly string[], number: number): Contract {
  const has = (leaf: string) => leaves.includes(leaf);
  const overMysql = has("architecture/networking/wire_protocols/mysql_classic");
  const overHttp = has("architecture/networking/transports/http");
  const embedded = has("architecture/model/embedded_library");
  const interactive = has("concurrency/transaction/model/single_node_acid");
  const indexed = has("indexing/equality/kv_secondary");
  const cache = ["lru", "w_tinylfu"].find((policy) => has(`storage/page_io/replacement/${policy}`)) ?? "none";
  const relaxed = has("recovery/auxiliary/relaxed_sync");
  const [benchmark, profile] = overHttp ? ["key_value", "sndv"] : ["ycsb", "c"];
  const protocols = [
    ...(overMysql ? ["mysql"] : []), ...(overHttp ? ["http"] : []), ...(embedded ? ["embedded"] : []),
  ];
  const tables = [...(overHttp ? [keyValueTable] : []), ...(overHttp && !indexed ? [] : [rowTable(number, indexed)])];
  const contract = {
    version: 1, name, description: "A product of a drawn selection.",
    data: { key_encoding: "order_preserving", tables },
    sharding: { shards: 1, locality: "none" },
    replication: { nodes: 1, consensus: "none" },
    consistency: {
      reads: "linearizable",
      transactions: interactive ? "interactive" : overMysql ? "one_shot" : "single_statement",
      isolation: has("concurrency/isolation/snapshot") ? "snapshot" : "serializable",
    },
    storage: {
      durability: relaxed ? "interval" : "every_commit",
      ...(relaxed ? { loss_window_ms: 20 + number % 30 } : {}),
      placement: has("storage/storage_model/memory") ? "memory" : "disk",
      checksums: true,
    },
    caching: { row_cache: cache },
    surface: { protocols, transactions: overMysql && !interactive ? "multi_statement_packet" : "none" },
    failure: { tolerates: ["process_crash", "power_loss"], recovery_seconds_max: 30 },
    workload: { benchmark, profile, scale: 1000, clients: 4, loop: "closed" },
    targets: { memory_mib_max: 256 },
  };
  const read = parseContract(JSON.stringify(contract), `${name}.yaml`);
  if (!read.ok) throw problemsError(read.problems);
  return read.contract;
}

/** A drawn selection as `lathe select` would have written it. */
export function drawnSelection(contract: Contract, leaves: readonly string[]): FeatureSelection {
  const sorted = [...leaves].sort();
  return {
    version: 1,
    contract: contract.name,
    contractHash: canonicalHash(contract),
    model: modelVersion(designSpace().model),
    overrides: { with: [], without: [] },
    leaves: sorted,
    decisions: sorted.map((path) => ({ path, origin: "asked", because: "drawn" })),
    leftOut: [],
    excluded: [],
    archetypes: [],
    withoutPart: [],
    hash: canonicalHash({ leaves: sorted }),
  };
}

const knobCatalog = loadKnobCatalog();

export function drawnProduct(
  name: string, leaves: readonly string[], number: number, knobs: KnobValues = {},
): AssembledProduct {
  const contract = contractOf(name, leaves, number);
  const selection = drawnSelection(contract, leaves);
  return assembleProduct({ contract, contractText: "version: 1\n", knobCatalog, selection, knobs }, "nowhere");
}
