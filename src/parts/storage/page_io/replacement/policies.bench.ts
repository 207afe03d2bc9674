/**
 * The policies of the row cache side by side: hit ratios, and what a hit and a miss with its fill cost.
 *
 *     node src/parts/storage/page_io/replacement/policies.bench.ts --help
 *     node src/parts/storage/page_io/replacement/policies.bench.ts --record examples/bars
 *
 *   1. Each policy has a process of its own (as in a product, which has one policy), and a stream of keys of its own:
 *   the same from the same seed. The stream is replayed as readers do, and the second half's hits are counted.
 *   2. Hits: the last accesses of the stream, those of them whose keys are in both caches, are read over and over.
 *   3. Misses: keys that were never seen are asked for and filled in.
 *   The processes take turns in every round, and a ratio is one round's.
 * Keys of 8 bytes, values of 200. TAOBench's stream is the reads of eight clients at 500,000 edges.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { barText, type RecordedBar } from "../../../../bench/recorded-bar.ts";
import { describeMachine, machineText } from "../../../../kit/machine.ts";
import { TaoWorkload } from "../../../../workload/taobench/tao-workload.ts";
import { movingHotSet, scanMixed, type Trace, zipf } from "./access-traces.fixture.ts";
import { createLruCache } from "./lru/lru-cache.ts";
import { capacityBytesFor, type CreateCache, keyOf, replay } from "./trace-replay.fixture.ts";
import { createWTinyLfuCache } from "./w_tinylfu/w-tinylfu-cache.ts";

const policies: Readonly<Record<string, CreateCache>> = { lru: createLruCache, w_tinylfu: createWTinyLfuCache };

interface Stream {
  readonly text: string;
  readonly make: () => Trace;
  /** How many entries the cache holds. */
  readonly entries: readonly number[];
}

const streams: Readonly<Record<string, Stream>> = {
  tao: { text: "TAOBench O", make: taoReads, entries: [20_000, 100_000, 200_000] },
  ycsb: { text: "zipfian 0.99 (YCSB)", make: () => zipf(100_000, 0.99, 1_000_000, 9), entries: [2000, 10_000, 50_000] },
  scan: { text: "a popular set and scans", make: () => scanMixed(1_000_000, 2), entries: [2000] },
  shift: { text: "a popular set that moves", make: () => movingHotSet(1_000_000, 100_000, 6), entries: [2000] },
};

const ratioMax = 1.05;
const value = new Uint8Array(200);
const hitsMax = 400_000;
const missesPerRound = 100_000;

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "11" },
    record: { type: "string" },
    policy: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

const help = `Usage: node src/parts/storage/page_io/replacement/policies.bench.ts [STREAM…] [options]

Hit ratios of LRU and W-TinyLFU on streams of keys, and nanoseconds per hit and per miss with its fill. Streams:
${Object.entries(streams).map(([name, { text }]) => `  ${name.padEnd(6)} ${text}`).join("\n")}

  --rounds N    turns of each process per figure (default 11; the first one compiles)
  --record DIR  write row-cache.json and row-cache.md there
  --help        this text
`;

function taoReads(): Trace {
  const clients = 8;
  const workload = new TaoWorkload("o", 500_000, 1);
  const sources = Array.from({ length: clients }, (_, client) => workload.client(2, client, clients));
  const numbers = new Map<string, number>();
  const reads: number[] = [];
  for (let at = 0; reads.length < 2_000_000; at++) {
    for (const step of sources[at % clients].next().steps) {
      if (step.kind !== "read") continue;
      const key = `${step.table} ${step.key.join(" ")}`;
      const number = numbers.get(key) ?? numbers.size;
      numbers.set(key, number);
      reads.push(number);
    }
  }
  return Uint32Array.from(reads);
}

type Request =
  | { readonly prepare: string; readonly entries: number }
  | { readonly hits: Uint32Array }
  | "present" | "hits" | "misses";

/** The process of one policy: answers each request with a figure, or with the last accesses whose keys are there. */
function answerAs(create: CreateCache): void {
  let cache = create({ capacityBytes: 0 });
  let last: Trace = new Uint32Array(0);
  let hits = last;
  let fresh = 0x4000_0000;
  let found = 0;
  const prepare = (name: string, entries: number): number => {
    const trace = streams[name].make();
    cache = create({ capacityBytes: capacityBytesFor(create, entries), seed: 1 });
    replay(cache, trace.subarray(0, trace.length / 2));
    const { ratio } = replay(cache, trace.subarray(trace.length / 2));
    last = trace.subarray(-hitsMax);
    return ratio;
  };
  const readHits = () => {
    for (const key of hits) found += cache.get(keyOf(key))?.length ?? 0;
    return hits.length;
  };
  const readMisses = () => {
    for (let count = 0; count < missesPerRound; count++) {
      const key = keyOf(fresh++);
      if (cache.get(key) === undefined) cache.fill(key, value, cache.epoch());
    }
    return missesPerRound;
  };
  process.on("message", (request: Request) => {
    if (typeof request === "object" && "prepare" in request) {
      return void process.send?.(prepare(request.prepare, request.entries));
    }
    if (typeof request === "object") return void process.send?.((hits = request.hits).length);
    if (request === "present") return void process.send?.(last.filter((key) => cache.get(keyOf(key)) !== undefined));
    const start = performance.now();
    const count = request === "hits" ? readHits() : readMisses();
    process.send?.(((performance.now() - start) * 1e6) / count);
  });
}

async function ask<Answer = number>(child: ChildProcess, request: Request): Promise<Answer> {
  const answer = once(child, "message");
  child.send(request);
  return (await answer)[0] as Answer;
}

/** Gives all the accesses whose keys each of them has. */
async function shareHits(children: readonly ChildProcess[]): Promise<void> {
  const [one, other] = await Promise.all(children.map((child) => ask<Uint32Array>(child, "present")));
  const present = new Set(other);
  const hits = one.filter((key) => present.has(key));
  await Promise.all(children.map((child) => ask(child, { hits })));
}

interface Figures {
  readonly stream: string;
  readonly entries: number;
  /** Of LRU and W-TinyLFU; per cent. */
  readonly hitRatios: readonly number[];
  readonly hitNs: readonly number[][];
  readonly missNs: readonly number[][];
}

async function measure(children: readonly ChildProcess[], stream: string, entries: number): Promise<Figures> {
  const ratios = await Promise.all(children.map((child) => ask(child, { prepare: stream, entries })));
  await shareHits(children);
  const turns = async (request: "hits" | "misses") => {
    const times = children.map((): number[] => []);
    for (let round = 0; round < Number(flags.rounds); round++) {
      for (const at of round % 2 === 0 ? [0, 1] : [1, 0]) times[at].push(await ask(children[at], request));
    }
    return times.map((list) => list.slice(1));
  };
  const hitNs = await turns("hits");
  return { stream, entries, hitRatios: ratios.map((ratio) => 100 * ratio), hitNs, missNs: await turns("misses") };
}

function spread(list: readonly number[], digits: number): string {
  const sorted = list.toSorted((one, other) => one - other);
  const [middle, least, most] = [sorted[sorted.length >> 1], sorted[0], sorted[sorted.length - 1]];
  return `${middle.toFixed(digits)} (${least.toFixed(digits)} to ${most.toFixed(digits)})`;
}

const ratiosOf = ([lru, tinyLfu]: readonly number[][]) => tinyLfu.map((time, round) => time / lru[round]);
const median = (list: readonly number[]) => list.toSorted((one, other) => one - other)[list.length >> 1];

function barsOf(all: readonly Figures[]): RecordedBar[] {
  return all.flatMap(({ stream, entries, hitRatios: [lru, tinyLfu], hitNs, missNs }) => {
    const where = `${streams[stream].text}, ${entries.toLocaleString("en")} entries`;
    const cost = median(ratiosOf(hitNs));
    const ns = (times: readonly number[][]) => times.map((list) => spread(list, 0)).join(" and ");
    return [
      {
        claim: `${where}: hits`, measured: `LRU ${lru.toFixed(2)} %, W-TinyLFU ${tinyLfu.toFixed(2)} %`,
        bar: { text: "no fewer than LRU", met: tinyLfu >= lru },
      },
      {
        claim: `${where}: W-TinyLFU to LRU, time per hit`,
        measured: `${spread(ratiosOf(hitNs), 2)}; LRU and W-TinyLFU in ns: ${ns(hitNs)}`,
        bar: { text: `at most ${ratioMax}`, met: cost <= ratioMax },
      },
      {
        claim: `${where}: W-TinyLFU to LRU, time per miss with its fill`,
        measured: `${spread(ratiosOf(missNs), 2)}; LRU and W-TinyLFU in ns: ${ns(missNs)}`,
      },
    ];
  });
}

function page(bars: readonly RecordedBar[]): string {
  return [
    "# What the policies of the row cache find, and what they cost",
    "",
    `On ${machineText(describeMachine())}. Medians, with the least and the greatest; ratios are of turns that follow one another.`,
    "",
    "| | measured | bar |",
    "|---|---|---|",
    ...bars.map((bar) => `| ${bar.claim} | ${bar.measured} | ${barText(bar)} |`),
    "",
    "`node src/parts/storage/page_io/replacement/policies.bench.ts --record examples/bars` measures it again.",
    "",
  ].join("\n");
}

async function main(): Promise<void> {
  const children = Object.keys(policies).map((name) => {
    return fork(import.meta.filename, ["--policy", name], { serialization: "advanced" });
  });
  try {
    const all: Figures[] = [];
    for (const stream of positionals.length > 0 ? positionals : Object.keys(streams)) {
      const wanted = streams[stream];
      if (wanted === undefined) throw new Error(`no stream ${stream}; there are ${Object.keys(streams).join(", ")}`);
      for (const count of wanted.entries) {
        all.push(await measure(children, stream, count));
        process.stderr.write(`${barsOf(all.slice(-1)).map(({ claim, measured }) => `${claim}: ${measured}`).join("\n")}\n`);
      }
    }
    const bars = barsOf(all);
    const text = page(bars);
    process.stdout.write(text);
    if (flags.record === undefined) return;
    mkdirSync(flags.record, { recursive: true });
    const json = { machine: describeMachine(), bars, figures: all };
    writeFileSync(join(flags.record, "row-cache.json"), `${JSON.stringify(json, undefined, 1)}\n`);
    writeFileSync(join(flags.record, "row-cache.md"), text);
  } finally {
    for (const child of children) child.kill();
  }
}

if (flags.help) process.stdout.write(help);
else if (flags.policy !== undefined) answerAs(policies[flags.policy]);
else await main();
