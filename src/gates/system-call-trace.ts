/**
 * Reads a trace of system calls (`strace -f -yy -ttt`) and decides whether answers were preceded by flushes.
 *
 * A line is `<thread> <time> <call>(<descriptor><path or socket>, …) = <result>`; a call that another thread
 * interrupts is written as `<call>(… <unfinished ...>` and later `<... <call> resumed>…) = <result>`.
 * Rule, per answer (bytes sent on a connection of the server's port): since the request's arrival (bytes read from that
 * connection) a file below the data directory was written, and a flush of that file began after the write and ended
 * before the answer began. Files opened with O_SYNC or O_DSYNC flush with the write itself.
 */
export interface TraceAudit {
  readonly answers: number;
  readonly unflushed: number;
  readonly flushes: number;
  readonly fileWrites: number;
  /** The first answer that came too early, as lines of the trace. */
  readonly firstOffence: readonly string[];
}

interface Call {
  readonly name: string;
  readonly target: string;
  readonly begins: number;
  readonly ends: number;
  readonly result: number;
  readonly line: string;
}

const readCalls = new Set(["read", "readv", "recvfrom", "recvmsg"]);
const writeCalls = new Set(["write", "writev", "sendto", "sendmsg", "pwrite64", "pwritev", "pwritev2"]);
const flushCalls = new Set(["fsync", "fdatasync"]);

export function auditTrace(text: string, options: { serverPort: number; dataDirectory: string }): TraceAudit {
  const calls = parseTrace(text);
  const isSocket = (call: Call) => call.target.includes(`:${options.serverPort}->`);
  const isData = (call: Call) => call.target.startsWith(options.dataDirectory);
  const synchronous = new Set(
    calls.filter((call) => call.name === "openat" && /O_D?SYNC/.test(call.line)).map((call) => openedPath(call.line)),
  );
  const requests = calls.filter((call) => readCalls.has(call.name) && isSocket(call) && call.result > 0);
  const answers = calls.filter((call) => writeCalls.has(call.name) && isSocket(call) && call.result > 0);
  const fileWrites = calls.filter((call) => writeCalls.has(call.name) && isData(call) && call.result > 0);
  const flushes = calls.filter((call) => flushCalls.has(call.name) && isData(call) && call.result === 0);
  let unflushed = 0;
  let firstOffence: string[] = [];
  for (const answer of answers) {
    const request = requests.findLast((call) => call.target === answer.target && call.ends <= answer.begins);
    const since = request?.ends ?? -Infinity;
    const written = fileWrites.filter((call) => call.begins >= since && call.ends <= answer.begins);
    const flushed = written.some(
      (write) =>
        synchronous.has(write.target) ||
        flushes.some(
          (flush) => flush.target === write.target && flush.begins >= write.ends && flush.ends <= answer.begins,
        ),
    );
    if (flushed) continue;
    unflushed++;
    if (firstOffence.length === 0) firstOffence = [request, ...written, answer].map((call) => call?.line ?? "");
  }
  return {
    answers: answers.length,
    unflushed,
    flushes: flushes.length,
    fileWrites: fileWrites.length,
    firstOffence: firstOffence.slice(0, 10),
  };
}

function openedPath(line: string): string {
  return /=\s*\d+<([^>]*)>/.exec(line)?.[1] ?? "";
}

/** Calls in the order in which they ended. `begins` and `ends` are positions in the trace. */
function parseTrace(text: string): Call[] {
  const calls: Call[] = [];
  const unfinished = new Map<string, { name: string; target: string; begins: number; line: string }>();
  text.split("\n").forEach((line, position) => {
    const resumed = /^(\d+)\s+[\d.]+ <\.\.\. (\w+) resumed>.*=\s*(-?\d+)/.exec(line);
    if (resumed !== null) {
      const started = unfinished.get(resumed[1]);
      unfinished.delete(resumed[1]);
      if (started?.name !== resumed[2]) return;
      calls.push({ ...started, ends: position, result: Number(resumed[3]), line: `${started.line} … ${line}` });
      return;
    }
    const begun = /^(\d+)\s+[\d.]+ (\w+)\((?:AT_FDCWD[^,]*|\d+)?(?:<(.*?)>(?=[,)\s]))?/.exec(line);
    if (begun === null) return;
    const [, thread, name, target = ""] = begun;
    if (line.includes("<unfinished ...>")) {
      unfinished.set(thread, { name, target, begins: position, line });
      return;
    }
    const result = /=\s*(-?\d+)[^=]*$/.exec(line);
    calls.push({ name, target, begins: position, ends: position, result: Number(result?.[1] ?? -1), line });
  });
  return calls;
}
