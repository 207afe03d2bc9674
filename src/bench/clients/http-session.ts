/**
 * HttpSession: one client of a key-value workload on one HTTP connection: an operation in, its verified outcome out.
 *
 * Steps of an operation: tell the verifier, note the floor of its read, send, look at the answer's status and at every
 * item in place, tell the verifier how it ended. Requests are SNDV-KV's (`/put`, `/batch`, `/get`) and `/scan`; keys
 * and values are letters and digits, so that the answer to a get has one form only, which is compared byte by byte.
 */
import { assert } from "../../kit/assert.ts";
import { RowView } from "../../workload/row-view.ts";
import type { Floor, Operation, PutStep, ReadStep, ScanStep, Verifier } from "../../workload/workload.ts";
import { type HttpClient, type HttpReply, requestBytes } from "./http-client.ts";
import type { OperationSession, Outcome } from "./operation-session.ts";

/** A status that the operation does not expect: the server is there, and refuses. */
export class HttpStatusError extends Error {
  readonly code = "HTTP";
  readonly status: number;

  constructor(status: number, body: Buffer) {
    super(`status ${status}: ${body.toString("utf8", 0, 200)}`);
    this.name = "HttpStatusError";
    this.status = status;
  }
}

const noWrong: Outcome = { error: undefined, wrong: undefined };
const otherForm = "an answer has another form than it should";

export class HttpSession implements OperationSession {
  readonly #client: HttpClient;
  readonly #verifier: Verifier | undefined;
  readonly #row = new RowView();
  #operation: Operation | undefined;
  #floor: Floor;
  #done: (operation: Operation, outcome: Outcome) => void = () => undefined;

  /** Without a verifier answers are received and not looked at. */
  constructor(client: HttpClient, verifier: Verifier | undefined) {
    this.#client = client;
    this.#verifier = verifier;
  }

  close(): void {
    this.#client.close();
  }

  start(operation: Operation, done: (operation: Operation, outcome: Outcome) => void): void {
    this.#operation = operation;
    this.#done = done;
    const [step] = operation.steps;
    this.#verifier?.issued(operation);
    switch (step.kind) {
      case "put":
        return this.#client.send(putRequest(step), this.#onReply);
      case "read":
        this.#floor = this.#verifier?.floor(step);
        return this.#client.send(requestBytes("GET", `/get?key=${step.key[0]}`), this.#onReply);
      case "scan":
        this.#floor = this.#verifier?.floor(step);
        return this.#client.send(requestBytes("GET", `/scan?from=${step.from[0]}&limit=${step.limit}`), this.#onReply);
      default:
        assert(false, `no request stands for ${step.kind}`);
    }
  }

  readonly #onReply = (reply: HttpReply | undefined, error: Error | undefined): void => {
    const operation = this.#operation as Operation;
    const [step] = operation.steps;
    if (reply === undefined) return this.#failed(operation, error as Error);
    const { status } = reply;
    const isWrite = step.kind === "put";
    if (isWrite ? status !== 201 : status !== 200 && !(status === 404 && step.kind === "read")) {
      return this.#failed(operation, new HttpStatusError(status, reply.body));
    }
    let wrong: string | undefined;
    if (this.#verifier !== undefined) {
      if (step.kind === "read") wrong = this.#checkRead(this.#verifier, step, reply);
      else if (step.kind === "scan") wrong = this.#checkScan(this.#verifier, step, reply);
      this.#verifier.acknowledged(operation, []);
    }
    this.#done(operation, wrong === undefined ? noWrong : { error: undefined, wrong });
  };

  #failed(operation: Operation, error: Error): void {
    this.#verifier?.failed(operation);
    this.#done(operation, { error, wrong: undefined });
  }

  #checkRead(verifier: Verifier, step: ReadStep, { status, body }: HttpReply): string | undefined {
    if (status === 404) return verifier.checkMissing(step, this.#floor);
    const before = `{"key":"${step.key[0]}","val":"`;
    const end = body.length - 2;
    if (body.toString("latin1", 0, before.length) !== before || body[end] !== 0x22 || body[end + 1] !== 0x7d) {
      return `${otherForm}: ${body.toString("latin1", 0, 100)}`;
    }
    const row = this.#row;
    row.bytes = body;
    row.columns = 1;
    row.start[0] = before.length;
    row.length[0] = end - before.length;
    return verifier.checkRow(step, row, this.#floor);
  }

  #checkScan(verifier: Verifier, step: ScanStep, { body }: HttpReply): string | undefined {
    const items = itemsOf(body);
    if (items === undefined) return `${otherForm}: ${body.toString("latin1", 0, 100)}`;
    const row = this.#row;
    row.columns = 2;
    for (const { key, val } of items) {
      row.bytes = Buffer.from(key + val, "latin1");
      row.start[0] = 0;
      row.length[0] = key.length;
      row.start[1] = key.length;
      row.length[1] = val.length;
      const wrong = verifier.checkRow(step, row, this.#floor);
      if (wrong !== undefined) return wrong;
    }
    return verifier.checkPageEnd?.(step, items.length, this.#floor);
  }
}

/** The items of a page; undefined where it is none. */
function itemsOf(body: Buffer): readonly { readonly key: string; readonly val: string }[] | undefined {
  let page: { readonly items?: unknown };
  try {
    page = JSON.parse(body.toString("latin1")) as typeof page;
  } catch {
    return undefined;
  }
  const { items } = page;
  if (!Array.isArray(items)) return undefined;
  const isItem = (item: { key?: unknown; val?: unknown }) =>
    typeof item?.key === "string" && typeof item.val === "string";
  return items.every(isItem) ? (items as { key: string; val: string }[]) : undefined;
}

/** One item as `/put`, several as `/batch`. */
export function putRequest({ items }: Pick<PutStep, "items">): Buffer {
  if (items.length === 1) return requestBytes("POST", "/put", `{"key":"${items[0].key}","value":"${items[0].value}"}`);
  let body = '{"items":[';
  for (let at = 0; at < items.length; at++) {
    body += `${at === 0 ? "" : ","}{"key":"${items[at].key}","value":"${items[at].value}"}`;
  }
  return requestBytes("POST", "/batch", `${body}]}`);
}
