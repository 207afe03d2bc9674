import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AliasTable } from "./alias-table.ts";
import { FnvHash } from "./fnv-hash.ts";
import {
  ExponentialKeys,
  HotspotKeys,
  type KeyDistribution,
  LatestKeys,
  ScrambledZipfianKeys,
  UniformKeys,
  zeta,
  ZipfianKeys,
} from "./key-distribution.ts";
import { RandomStream } from "./random-stream.ts";
import { RowView } from "./row-view.ts";
import { ycsbKey } from "./ycsb/ycsb-workload.ts";

test("FNV agrees with YCSB's vectors and with big integers", () => {
  const vectors: [number, bigint][] = [
    [0, 6284781860667377211n],
    [1, 8517097267634966620n],
    [2, 1820151046732198393n],
    [3, 4052466453699787802n],
    [10, 2408371864701034737n],
    [999, 2071219101098386137n],
    [1_000_000, 1011632231655643464n],
  ];
  const hash = new FnvHash();
  for (const [value, expected] of vectors) {
    hash.update(value);
    assert.equal(hash.toBigInt(), expected);
  }
  assert.equal(ycsbKey(0), "user6284781860667377211");
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.integer({ min: 1, max: 2 ** 31 }), (value, divisor) => {
      hash.update(value);
      let expected = 0xcbf29ce484222325n;
      for (let rest = BigInt(value), round = 0; round < 8; round++, rest >>= 8n) {
        expected = BigInt.asUintN(64, (expected ^ (rest & 255n)) * 1099511628211n);
      }
      const signed = BigInt.asIntN(64, expected);
      const positive = signed < 0n ? -signed : signed;
      assert.equal(hash.toBigInt(), positive);
      assert.equal(hash.modulo(divisor), Number(positive % BigInt(divisor)));
    }),
  );
});

test("ζ and zipfian ranks agree with YCSB's vectors", () => {
  const zetas: [number, number][] = [
    [2, 1.5034777750283594],
    [10, 2.9561075165103636],
    [100, 5.294568831377164],
    [1000, 7.728953217284729],
    [100_000, 12.778338062551246],
  ];
  for (const [count, expected] of zetas) assert.ok(Math.abs(zeta(count) - expected) < 1e-9);
  const zipfian = new ZipfianKeys(1000);
  const ranks: [number, number][] = [
    [0.13, 1], [0.2, 2], [0.25, 3], [0.5, 22], [0.75, 151], [0.9, 471], [0.99, 927], [0.999, 992],
  ];
  for (const [u, rank] of ranks) assert.equal(zipfian.rank(u), rank);
  const scrambled = new ScrambledZipfianKeys();
  assert.equal(scrambled.rank(0.1), 6);
  assert.equal(scrambled.rank(0.5), 134552);
  assert.equal(scrambled.rank(0.9), 1170869537);
  assert.equal(scrambled.key(0, 1001), Number(6284781860667377211n % 1001n));
});

test("every distribution stays inside its keys, also when they grow", () => {
  const make: (() => KeyDistribution)[] = [
    () => new UniformKeys(),
    () => new ZipfianKeys(10),
    () => new ScrambledZipfianKeys(),
    () => new LatestKeys(10),
    () => new HotspotKeys(),
    () => new ExponentialKeys(),
  ];
  fc.assert(
    fc.property(fc.nat(), fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 20 }), (seed, growth) => {
      for (const create of make) {
        const random = new RandomStream(seed);
        const keys = create();
        let count = 10;
        for (const more of growth) {
          count += more;
          const key = keys.next(random, count);
          const inside = Number.isInteger(key) && key >= 0 && key < count;
          assert.ok(inside, `${keys.constructor.name} gave ${key} of ${count}`);
        }
      }
    }),
    { numRuns: 50 },
  );
});

test("skews are where they belong", () => {
  const random = new RandomStream(5);
  const share = (keys: KeyDistribution, accept: (key: number) => boolean) => {
    let hits = 0;
    for (let draw = 0; draw < 20_000; draw++) if (accept(keys.next(random, 1000))) hits++;
    return hits / 20_000;
  };
  const near = (found: number, expected: number) =>
    assert.ok(Math.abs(found - expected) < 0.015, `${found} ${expected}`);
  near(share(new UniformKeys(), (key) => key < 100), 0.1);
  near(share(new ZipfianKeys(1000), (key) => key === 0), 0.129);
  near(share(new LatestKeys(1000), (key) => key === 999), 0.129);
  near(share(new HotspotKeys(), (key) => key < 200), 0.8);
  // The 95th percentile lies at 857 keys from the newest; draws beyond the oldest key are repeated.
  near(share(new ExponentialKeys(), (key) => key >= 1000 - 857), 0.95 / (1 - Math.pow(0.05, 1 / 0.857)));
  const hottest = Number(6284781860667377211n % 1000n);
  near(share(new ScrambledZipfianKeys(), (key) => key === hottest), 0.038);
});

test("an alias table draws by weight, and never what has none", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { minLength: 1, maxLength: 30 }), fc.nat(), (weights, seed) => {
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      if (total === 0) return void assert.throws(() => new AliasTable(weights), { code: "INVALID_ARGUMENT" });
      const table = new AliasTable(weights);
      const random = new RandomStream(seed);
      const draws = 4000;
      const counts = weights.map(() => 0);
      for (let draw = 0; draw < draws; draw++) counts[table.next(random)]++;
      weights.forEach((weight, index) => {
        const p = weight / total;
        const slack = 5.5 * Math.sqrt((p * (1 - p)) / draws);
        assert.ok(Math.abs(counts[index] / draws - p) <= slack, `${index}: ${counts[index]} of ${draws}, weight ${p}`);
      });
    }),
    { numRuns: 60, seed: 11 },
  );
});

test("a random stream is a function of seed and labels", () => {
  const take = (stream: RandomStream) => Array.from({ length: 8 }, () => stream.u32());
  assert.deepEqual(take(new RandomStream(1, 2)), take(new RandomStream(1, 2)));
  const first = new Set<string>();
  for (let seed = 0; seed < 200; seed++) {
    for (let label = 0; label < 5; label++) first.add(take(new RandomStream(seed, label)).join());
  }
  assert.equal(first.size, 1000);
  assert.notDeepEqual(take(new RandomStream(1)), take(new RandomStream(2 ** 32 + 1)));
});

test("a row view parses every 64-bit integer from its digits", () => {
  const row = new RowView();
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
      row.bytes = Buffer.from(`x${value}y`);
      assert.ok(row.parseInteger(3, 1, String(value).length));
      assert.equal(row.bigint(3), value);
    }),
  );
  row.bytes = Buffer.from("12a4-99999999999999999999999");
  assert.ok(!row.parseInteger(0, 0, 4) && !row.parseInteger(0, 5, 23) && !row.parseInteger(0, 0, 0));
});
