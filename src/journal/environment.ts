/**
 * What a study ran on: the facts without which its figures mean nothing. No paths, no names of people or
 * machines, so that a journal and a report can be handed to anyone; the host is recognised by a hash.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, realpathSync } from "node:fs";
import { availableParallelism, hostname, machine, platform, release, totalmem } from "node:os";
import { processorModel } from "../kit/machine.ts";

export interface Environment {
  /** Twelve digits of a hash of host name and machine id: the same for the same machine. */
  readonly host: string;
  readonly operatingSystem: string;
  readonly kernel: string;
  readonly architecture: string;
  readonly cpuModel: string;
  /** Processors that this process may use. */
  readonly cores: number;
  readonly memoryMiB: number;
  /** Type of the file system that holds the data: ext4, xfs, tmpfs, overlay, … */
  readonly fileSystem: string;
  /** True on tmpfs and its like, where a flush reaches no device. */
  readonly dataInMemory: boolean;
  readonly nodeVersion: string;
}

const memoryFileSystems = ["tmpfs", "ramfs", "devtmpfs"];

/** `dataDirectory` must exist. Facts that the system does not tell are "unknown". */
export function collectEnvironment(dataDirectory: string): Environment {
  const fileSystem = fileSystemOf(realpathSync(dataDirectory), readText("/proc/mounts"));
  return {
    host: createHash("sha256").update(hostname() + readText("/etc/machine-id")).digest("hex").slice(0, 12),
    operatingSystem: operatingSystemName(readText("/etc/os-release")),
    kernel: release(),
    architecture: machine(),
    cpuModel: processorModel(),
    cores: availableParallelism(),
    memoryMiB: Math.round(totalmem() / 2 ** 20),
    fileSystem,
    dataInMemory: memoryFileSystems.includes(fileSystem),
    nodeVersion: process.version,
  };
}

/** Commit of the git repository around `directory`, "+" behind it where files differ; null without one. */
export function commitOf(directory: string): string | null {
  try {
    const run = (...options: string[]) =>
      execFileSync("git", options, {
        cwd: directory, encoding: "utf8", timeout: 10_000, stdio: ["ignore", "pipe", "ignore"],
      }).trim();
    const commit = run("rev-parse", "HEAD");
    return run("status", "--porcelain", "--untracked-files=no") === "" ? commit : `${commit}+`;
  } catch {
    return null;
  }
}

/** The type of the mount that holds `path`: the longest mount point above it, the last of equal ones. */
export function fileSystemOf(path: string, mounts: string): string {
  let best = { length: -1, type: "unknown" };
  for (const line of mounts.split("\n")) {
    const [, point, type] = line.split(" ");
    if (point === undefined || type === undefined) continue;
    // The kernel writes blanks, tabs, newlines and backslashes in octal.
    const mountPoint = point.replace(/\\([0-7]{3})/g, (_, digits: string) =>
      String.fromCharCode(Number.parseInt(digits, 8)),
    );
    const inside = mountPoint === "/" || path === mountPoint || path.startsWith(`${mountPoint}/`);
    if (inside && mountPoint.length >= best.length) best = { length: mountPoint.length, type };
  }
  return best.type;
}

function operatingSystemName(release: string): string {
  return /^PRETTY_NAME="?([^"\n]+)"?$/m.exec(release)?.[1] ?? platform();
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
