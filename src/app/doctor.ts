/**
 * Use case: what this machine has, what that means for measurements, and the exact command that adds what is missing.
 */
import { spawnSync } from "node:child_process";
import {
  closeSync, existsSync, fdatasyncSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statfsSync, writeSync,
} from "node:fs";
import { availableParallelism, freemem, totalmem } from "node:os";
import { join, resolve } from "node:path";
import { processorModel } from "../kit/machine.ts";

export interface Finding {
  readonly name: string;
  /** `missing`: an optional part; `poor`: it works, but measurements suffer; `broken`: Lathe cannot work. */
  readonly state: "good" | "missing" | "poor" | "broken";
  readonly found: string;
  /** What it is for. */
  readonly purpose: string;
  /** The command that adds or mends it. */
  readonly remedy?: string | undefined;
}

export interface DoctorReport {
  readonly workDirectory: string;
  readonly findings: readonly Finding[];
  readonly verdict: "good" | "usable" | "broken";
}

export function examineMachine(workDirectory: string): DoctorReport {
  const directory = resolve(workDirectory);
  const findings = [
    nodeFinding(), coresFinding(), memoryFinding(), governorFinding(),
    ...diskFindings(directory), ...tools.map(toolFinding),
  ];
  const broken = findings.some((finding) => finding.state === "broken");
  const whole = findings.every((finding) => finding.state === "good");
  return { workDirectory: directory, findings, verdict: broken ? "broken" : whole ? "good" : "usable" };
}

function nodeFinding(): Finding {
  const [major, minor] = process.versions.node.split(".").map(Number);
  const good = major > 24 || (major === 24 && minor >= 15);
  return {
    name: "node",
    state: good ? "good" : "broken",
    found: process.version,
    purpose: "runs Lathe and its products (24.15 or newer)",
    remedy: good ? undefined : "use ./lathe, which brings its own Node",
  };
}

function coresFinding(): Finding {
  const cores = availableParallelism();
  return {
    name: "cores",
    state: cores >= 2 ? "good" : "poor",
    found: `${cores} of ${processorModel()}`,
    purpose: "server and driver need one each to be told apart",
    remedy: cores >= 2 ? undefined : "give the machine a second core",
  };
}

function memoryFinding(): Finding {
  const mebibyte = 1 << 20;
  const free = Math.round(freemem() / mebibyte);
  return {
    name: "memory",
    state: free >= 1024 ? "good" : "poor",
    found: `${free} MiB free of ${Math.round(totalmem() / mebibyte)} MiB`,
    purpose: "two servers, a driver and the page cache",
    remedy: free >= 1024 ? undefined : "end other programs while measuring",
  };
}

function governorFinding(): Finding {
  const file = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor";
  const purpose = "a clock that changes while measuring adds noise";
  if (!existsSync(file)) {
    return { name: "cpu governor", state: "good", found: "not under this system's control", purpose };
  }
  const governor = readFileSync(file, "utf8").trim();
  const good = governor === "performance";
  const remedy = good ? undefined : "sudo cpupower frequency-set --governor performance";
  return { name: "cpu governor", state: good ? "good" : "poor", found: governor, purpose, remedy };
}

function diskFindings(directory: string): Finding[] {
  const purpose = "figures of durable writes need a real disk; tmpfs is refused";
  const existing = nearestExisting(directory);
  const type = fileSystemType(existing);
  const volatile = type === "tmpfs" || type === "ramfs";
  const remedy = volatile ? "work in a directory on a disk" : undefined;
  const status = statfsSync(existing);
  const freeMiB = Math.round((status.bavail * status.bsize) / (1 << 20));
  return [
    { name: "file system", state: volatile ? "poor" : "good", found: `${type} at ${existing}`, purpose, remedy },
    {
      name: "free disk",
      state: freeMiB >= 4096 ? "good" : freeMiB >= 512 ? "poor" : "broken",
      found: `${freeMiB} MiB`,
      purpose: "data, checkpoints and logs of a study",
      remedy: freeMiB >= 4096 ? undefined : "free some space, or work on another disk",
    },
    flushFinding(existing),
  ];
}

/** Times a few flushes of an overwritten block: a flush that takes no time reaches no device. */
function flushFinding(directory: string): Finding {
  const purpose = "an acknowledged commit must be on the device";
  let scratch: string | undefined;
  try {
    scratch = mkdtempSync(join(directory, ".lathe-doctor-"));
    const descriptor = openSync(join(scratch, "flush"), "w");
    const block = new Uint8Array(4096);
    const timesUs: number[] = [];
    for (let turn = 0; turn < 32; turn++) {
      writeSync(descriptor, block, 0, block.length, 0);
      const before = process.hrtime.bigint();
      fdatasyncSync(descriptor);
      timesUs.push(Number(process.hrtime.bigint() - before) / 1000);
    }
    closeSync(descriptor);
    const median = timesUs.sort((one, other) => one - other)[16];
    const suspicious = median < 10;
    return {
      name: "flush",
      state: suspicious ? "poor" : "good",
      found: `fdatasync takes ${median.toFixed(0)} µs, median of 32${suspicious ? ": too little for a device" : ""}`,
      purpose,
      remedy: suspicious ? "work on a disk that honours flushes" : undefined,
    };
  } catch (error) {
    const remedy = "work in a directory that you may write";
    return { name: "flush", state: "broken", found: (error as Error).message, purpose, remedy };
  } finally {
    if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
  }
}

interface Tool {
  readonly name: string;
  readonly commands: readonly string[];
  readonly purpose: string;
  readonly remedy: string;
  /** Directories beyond PATH. */
  readonly places?: readonly string[];
}

const debian = "sudo apt-get install --yes";

const tools: readonly Tool[] = [
  { name: "git", commands: ["git"], purpose: "a study changes a product by commits", remedy: `${debian} git` },
  {
    name: "mariadb",
    commands: ["mariadbd", "mysqld"],
    purpose: "the comparison column of reports, and differential tests",
    remedy: `${debian} mariadb-server`,
    places: ["/usr/sbin", "/usr/local/sbin"],
  },
  {
    name: "mysql client",
    commands: ["mariadb", "mysql"],
    purpose: "talking to a product by hand",
    remedy: `${debian} mariadb-client`,
  },
  {
    name: "strace",
    commands: ["strace"],
    purpose: "the flush audit by traced system calls",
    remedy: `${debian} strace`,
  },
  {
    name: "chromium",
    commands: ["chromium", "chromium-browser", "google-chrome"],
    purpose: "pictures of reports, tests of the studio",
    remedy: `${debian} chromium`,
  },
  {
    name: "postgresql",
    commands: ["postgres", "psql"],
    purpose: "differential tests against PostgreSQL",
    remedy: `${debian} postgresql`,
    places: postgresPlaces(),
  },
  {
    name: "rocksdb",
    commands: ["ldb", "rocksdb_ldb", "db_bench"],
    purpose: "the RocksDB engine's reference tools",
    remedy: `${debian} rocksdb-tools`,
  },
  { name: "go", commands: ["go"], purpose: "building the Pebble engine", remedy: `${debian} golang-go` },
];

function postgresPlaces(): string[] {
  const root = "/usr/lib/postgresql";
  return existsSync(root) ? readdirSync(root).map((version) => join(root, version, "bin")) : [];
}

function toolFinding(tool: Tool): Finding {
  const { name, purpose, remedy } = tool;
  const places = [...(process.env.PATH ?? "").split(":"), ...(tool.places ?? [])].filter((place) => place !== "");
  for (const command of tool.commands) {
    const file = places.map((place) => join(place, command)).find((candidate) => existsSync(candidate));
    if (file !== undefined) return { name, state: "good", found: versionOf(file), purpose };
  }
  return { name, state: "missing", found: "not found", purpose, remedy };
}

function versionOf(file: string): string {
  const flag = file.endsWith("/go") ? "version" : "--version";
  const asked = spawnSync(file, [flag], { encoding: "utf8", timeout: 3000, stdio: ["ignore", "pipe", "ignore"] });
  const line = asked.stdout?.split("\n")[0]?.trim() ?? "";
  return line === "" ? file : line.slice(0, 100);
}

function nearestExisting(directory: string): string {
  let at = directory;
  while (!existsSync(at)) at = resolve(at, "..");
  return at;
}

/** The type of the mount that holds a path, from the kernel's table; the longest mount point wins. */
function fileSystemType(path: string): string {
  const table = "/proc/self/mounts";
  if (!existsSync(table)) return `type ${statfsSync(path).type}`;
  let best = { point: "", type: "unknown" };
  for (const line of readFileSync(table, "utf8").split("\n")) {
    const [, point, type] = line.split(" ");
    if (point === undefined || type === undefined) continue;
    const holds = path === point || path.startsWith(point.endsWith("/") ? point : `${point}/`);
    if (holds && point.length >= best.point.length) best = { point, type };
  }
  return best.type;
}
