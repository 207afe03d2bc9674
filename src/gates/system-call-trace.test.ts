import assert from "node:assert/strict";
import { test } from "node:test";
import { auditTrace } from "./system-call-trace.ts";

const options = { serverPort: 3306, dataDirectory: "/data" };
const socket = "<TCP:[127.0.0.1:3306->127.0.0.1:5000]>";
const request = `7 1.0 read(20${socket}, "\\3\\0"..., 65536) = 40`;
const write = '7 1.1 pwrite64(21</data/wal/1.log>, "abc"..., 100, 0) = 100';
const flush = "8 1.2 fdatasync(21</data/wal/1.log>) = 0";
const answer = `7 1.3 write(20${socket}, "\\7\\0"..., 11) = 11`;

const audit = (...lines: string[]) => auditTrace(lines.join("\n"), options);

test("request, write, flush, answer is right", () => {
  const { answers, unflushed } = audit(request, write, flush, answer);
  assert.deepEqual([answers, unflushed], [1, 0]);
});

test("the flush of another thread counts from its beginning to its end", () => {
  const begun = "8 1.15 fdatasync(21</data/wal/1.log> <unfinished ...>";
  const ended = "8 1.25 <... fdatasync resumed>) = 0";
  assert.equal(audit(request, write, begun, ended, answer).unflushed, 0);
  assert.equal(audit(request, write, begun, answer, ended).unflushed, 1, "answered during the flush");
  assert.equal(audit(request, begun, write, ended, answer).unflushed, 1, "written after the flush began");
});

test("planted: no flush, a failed flush, a flush of another file, a flush before the write, a late flush", () => {
  const failed = "8 1.2 fdatasync(21</data/wal/1.log>) = -1 EIO (Input/output error)";
  const other = "8 1.2 fdatasync(22</data/other>) = 0";
  const offences = [[request, write, answer], [request, write, failed, answer], [request, write, other, answer],
    [request, flush, write, answer], [request, write, answer, flush], [request, answer]];
  for (const lines of offences) assert.equal(audit(...lines).unflushed, 1, lines.join("\n"));
});

test("a flush of the request before does not count", () => {
  assert.equal(audit(request, write, flush, answer, request, write, answer).unflushed, 1);
});

test("a file opened with O_DSYNC flushes with its writes", () => {
  const open = '7 0.9 openat(AT_FDCWD</x>, "/data/wal/1.log", O_RDWR|O_DSYNC) = 21</data/wal/1.log>';
  assert.equal(audit(open, request, write, answer).unflushed, 0);
});
