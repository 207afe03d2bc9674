/**
 * A product on a full disk, on a real file system. Nobody needs to be root: user namespaces may mount a tmpfs. Where a
 * system allows no such namespace, the test is skipped and says so.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

const inNamespace = ["--user", "--map-root-user", "--mount", "--kill-child"];
const mayMount = spawnSync("unshare", [...inNamespace, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).status === 0;

test(
  "a disk that is full in the middle of a compaction: reads go on, writes are told, room heals it, nothing is lost",
  { skip: mayMount ? false : "this system gives no user namespace in which a file system can be mounted" },
  () => {
    const script = join(import.meta.dirname, "full-disk-scenario.ts");
    const ran = spawnSync("unshare", [...inNamespace, process.execPath, script], { encoding: "utf8", timeout: 300_000 });
    assert.equal(ran.status, 0, `${ran.stdout}\n${ran.stderr}`);
    assert.match(ran.stdout, /^\d+ statements acknowledged, [1-9]\d* refused$/m);
  },
);
