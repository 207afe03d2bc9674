/**
 * Reads a trace of system calls (`strace -f -yy -ttt`) and decides whether answers were preceded by flushes.
 *
 * A line is `<thread> <time> <call>(<descriptor><path or socket>, …) = <result>`; a call that another thread
 * interrupts is written as `<call>(… <unfinished ...>` and later `<... <call> resumed>…) = <result>`.
 * Rule, per answer (bytes sent on a connection of the server's port): since the request's arrival (bytes read from that
 * connection) a file below the data directory was written, and a flush of that file began after the write and ended
 * before the answer began. Files opened with O_SYNC or O_DSYNC flush with the write itself.
 * Rule where a window of losses is allowed (`auditWindow`): the file was written between request and answer, and a
 * flush of it, begun after the write, ended within a time after the answer.
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
  /** When it began and ended, as the trace says. */
  readonly beginSeconds: number;
  readonly endSeconds: number;
  readonly result: number;
  readonly line: string;
}

export interface WindowAudit {
  readonly answers: number;
  /** Answers before which no file of the data was written. */
  readonly unwritten: number;
  /** Answers that no flush covered in time. */
  readonly unflushed: number;
  /** Answers that came before the flush that covered them had ended. */
  readonly early: number;
  readonly flushes: number;
  readonly firstOffence: readonly string[];
}

const readCalls = new Set(["read", "readv", "recvfrom", "recvmsg"]);
const writeCalls = new Set(["write", "writev", "sendto", "sendmsg", "pwrite64", "pwritev", "pwritev2"]);
const flushCalls = new Set(["fsync", "fdatasync"]);

interface TraceOptions {
  readonly serverPort: number;
  readonly dataDirectory: string;
}

export function auditTrace(text: string, options: TraceOptions): TraceAudit {
  const { requests, answers, fileWrites, flushes, synchronous } = callsOf(text, options);
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

/** Where answers may come up to `allowedMs` before the flush of what was written has ended. */
export function auditWindow(text: string, options: TraceOptions & { readonly allowedMs: number }): WindowAudit {
  const { requests, answers, fileWrites, flushes, synchronous } = callsOf(text, options);
  const counts = { answers: answers.length, unwritten: 0, unflushed: 0, early: 0, flushes: flushes.length };
  let firstOffence: string[] = [];
  for (const answer of answers) {
    const request = requests.findLast((call) => call.target === answer.target && call.ends <= answer.begins);
    const since = request?.ends ?? -Infinity;
    const written = fileWrites.filter((call) => call.begins >= since && call.ends <= answer.begins);
    const covered = written.flatMap((write) => {
      if (synchronous.has(write.target)) return [write.endSeconds];
      const flush = flushes.find((call) => call.target === write.target && call.begins >= write.ends);
      return flush === undefined ? [] : [flush.endSeconds];
    });
    const flushedSeconds = Math.min(Infinity, ...covered);
    if (flushedSeconds > answer.beginSeconds) counts.early++;
    const isInTime = flushedSeconds <= answer.beginSeconds + options.allowedMs / 1000;
    if (written.length === 0) counts.unwritten++;
    else if (!isInTime) counts.unflushed++;
    else continue;
    if (firstOffence.length === 0) firstOffence = [request, ...written, answer].map((call) => call?.line ?? "");
  }
  return { ...counts, firstOffence: firstOffence.slice(0, 10) };
}

function callsOf(text: string, options: TraceOptions) {
  const calls = parseTrace(text);
  const isSocket = (call: Call) => call.target.includes(`:${options.serverPort}->`);
  const isData = (call: Call) => call.target.startsWith(options.dataDirectory);
  const synchronous = new Set(
    calls.filter((call) => call.name === "openat" && /O_D?SYNC/.test(call.line)).map((call) => openedPath(call.line)),
  );
  return {
    synchronous,
    requests: calls.filter((call) => readCalls.has(call.name) && isSocket(call) && call.result > 0),
    answers: calls.filter((call) => writeCalls.has(call.name) && isSocket(call) && call.result > 0),
    fileWrites: calls.filter((call) => writeCalls.has(call.name) && isData(call) && call.result > 0),
    flushes: calls.filter((call) => flushCalls.has(call.name) && isData(call) && call.result === 0),
  };
}

function openedPath(line: string): string {
  return /=\s*\d+<([^>]*)>/.exec(line)?.[1] ?? "";
}

/** Calls in the order in which they ended. `begins` and `ends` are positions in the trace. */
function parseTrace(text: string): Call[] {
  const calls: Call[] = [];
  const unfinished = new Map<string, Omit<Call, "ends" | "endSeconds" | "result">>();
  text.split("\n").forEach((line, position) => {
    const resumed = /^(\d+)\s+([\d.]+) <\.\.\. (\w+) resumed>.*=\s*(-?\d+)/.exec(line);
    if (resumed !== null) {
      const started = unfinished.get(resumed[1]);
      unfinished.delete(resumed[1]);
      if (started?.name !== resumed[3]) return;
      const [endSeconds, result] = [Number(resumed[2]), Number(resumed[4])];
      calls.push({ ...started, ends: position, endSeconds, result, line: `${started.line} … ${line}` });
      return;
    }
    const begun = /^(\d+)\s+([\d.]+) (\w+)\((?:AT_FDCWD[^,]*|\d+)?(?:<(.*?)>(?=[,)\s]))?/.exec(line);
    if (begun === null) return;
    const [, thread, time, name, target = ""] = begun;
    const seconds = Number(time);
    if (line.includes("<unfinished ...>")) {
      unfinished.set(thread, { name, target, begins: position, beginSeconds: seconds, line });
      return;
    }
    const result = /=\s*(-?\d+)[^=]*$/.exec(line);
    const places = { begins: position, ends: position, beginSeconds: seconds, endSeconds: seconds };
    calls.push({ name, target, ...places, result: Number(result?.[1] ?? -1), line });
  });
  return calls;
}
