/**
 * The ResultSink of one session: turns what an executor says into packets.
 *
 *   | call                 | packets                                                               |
 *   |----------------------|-----------------------------------------------------------------------|
 *   | rows(shape)          | column count, definitions, EOF unless DEPRECATE_EOF: one copy         |
 *   | storedRow, valueRow  | one row                                                               |
 *   | end()                | EOF, or OK with header FE                                             |
 *   | done(result)         | OK: 00, affected rows, insert id, status, warnings, info            |
 *   | fail(error)          | ERR: FF, number, `#`, SQLSTATE, message                               |
 *
 * Invariants:
 *   1. A command gets exactly one answer: calls after its end are ignored, and a command that ends
 *      without one gets an internal error.
 *   2. A result that its reader does not take is cut off with an error packet at `resultBufferBytesMax`.
 * Source: "Text Resultset", "OK_Packet", "ERR_Packet" in MySQL's source documentation.
 */
import type { ColumnValue } from "../../../catalog/table.ts";
import type {
  DoneResult,
  ExecutorSession,
  ResultShape,
  ResultSink,
  SessionView,
  SqlError,
} from "../../../../query_processing/executor.ts";
import type { RowLayout } from "../../../../storage/layout/row-layout.ts";
import { capability, serverStatus } from "./capability.ts";
import type { OutputBuffer } from "./output-buffer.ts";
import { writeEncodedPackets, writeEof } from "./result-shape.ts";
import type { EncodedShape, EncodedShapes } from "./result-shape.ts";
import { writeStoredRowBinary, writeStoredRowText } from "./stored-row.ts";
import type { SurfaceMetrics } from "./surface-metrics.ts";
import { writeValueRowBinary, writeValueRowText } from "./value-row.ts";
import { protocolError, wireErrorOfSql, wireErrorOfThrown } from "./wire-error.ts";
import type { WireError } from "./wire-error.ts";

export interface ResultWriterOptions {
  readonly output: OutputBuffer;
  readonly shapes: EncodedShapes;
  readonly layout: RowLayout;
  readonly metrics: SurfaceMetrics;
  /** A result is handed over in pieces of about this size. */
  readonly pieceBytes: number;
  readonly resultBufferBytesMax: number;
  /** Bytes handed over that the client has not taken. */
  readonly unsentBytes: () => number;
  /** Whether all clients together have left too much. */
  readonly unsentTooMuch: () => boolean;
  /** Asked between the statements of a text. */
  readonly between: () => Promise<boolean> | undefined;
}

export class ResultWriter implements ResultSink {
  moreResults = false;
  session: SessionView | undefined;
  /** Whose state the status bits of answers tell; undefined: autocommit. */
  transactions: Pick<ExecutorSession, "inTransaction" | "autocommit"> | undefined;
  /** Whether the command at hand has its answer. */
  answered = true;
  /** Agreed with the client; set once, after login. */
  capabilities = 0;
  readonly #output: OutputBuffer;
  readonly #shapes: EncodedShapes;
  readonly #layout: RowLayout;
  readonly #options: ResultWriterOptions;
  #binary = false;
  #shape: EncodedShape | undefined;

  constructor(options: ResultWriterOptions) {
    this.#output = options.output;
    this.#shapes = options.shapes;
    this.#layout = options.layout;
    this.#options = options;
  }

  /** Begins the answer to a command. */
  begin(binary: boolean): void {
    this.#binary = binary;
    this.answered = false;
    this.moreResults = false;
  }

  /**
   * Says that the answer is complete, or wanted no more: written without this writer, or the
   * connection has gone.
   */
  markAnswered(): void {
    this.answered = true;
  }

  between(): Promise<boolean> | undefined {
    return this.#options.between();
  }

  rows(shape: ResultShape): void {
    if (this.answered) return;
    let encoded = this.#shape;
    if (encoded === undefined || encoded.shape !== shape) this.#shape = encoded = this.#shapes.of(shape);
    const deprecateEof = (this.capabilities & capability.deprecateEof) !== 0;
    writeEncodedPackets(this.#output, deprecateEof ? encoded.withoutEof : encoded.withEof);
  }

  storedRow(key: Uint8Array, value: Uint8Array): void {
    const plan = this.#shape?.plan;
    if (this.answered || plan === undefined) return;
    try {
      if (this.#binary) writeStoredRowBinary(this.#output, plan, this.#layout, key, value);
      else writeStoredRowText(this.#output, plan, this.#layout, key, value);
    } catch (error) {
      this.#failRow(error);
    }
    if (this.#output.pendingBytes > this.#options.pieceBytes) this.#handOver();
  }

  valueRow(values: readonly ColumnValue[]): void {
    if (this.answered || this.#shape === undefined) return;
    try {
      if (this.#binary) writeValueRowBinary(this.#output, this.#shape.shape.columns, values);
      else writeValueRowText(this.#output, values);
    } catch (error) {
      this.#failRow(error);
    }
    if (this.#output.pendingBytes > this.#options.pieceBytes) this.#handOver();
  }

  /**
   * A row that cannot be encoded ends the result, even where the executor goes on: no row may be
   * missing in silence.
   */
  #failRow(error: unknown): never {
    this.error(wireErrorOfThrown(error));
    throw error;
  }

  end(): void {
    if (this.answered) return;
    const output = this.#output;
    if ((this.capabilities & capability.deprecateEof) === 0) {
      writeEof(output, this.#status());
    } else {
      output.reserve(11);
      const bytes = output.bytes;
      const at = output.position;
      output.writeHeader(at, 7);
      bytes[at + 4] = 0xfe;
      bytes[at + 5] = 0;
      bytes[at + 6] = 0;
      bytes[at + 7] = this.#status();
      bytes[at + 8] = 0;
      bytes[at + 9] = 0;
      bytes[at + 10] = 0;
      output.position = at + 11;
    }
    this.answered = !this.moreResults;
  }

  done(result: DoneResult): void {
    if (this.answered) return;
    const found = (this.capabilities & capability.foundRows) !== 0;
    const rows = found ? Math.max(result.affectedRows, result.matchedRows) : result.affectedRows;
    this.#writeOk(rows, result.info, result.insertId);
    this.answered = !this.moreResults;
  }

  /** The answer to a command that has no result. */
  ok(): void {
    this.moreResults = false;
    this.#writeOk(0, "");
    this.answered = true;
  }

  fail(error: SqlError): void {
    if (!this.answered) this.error(wireErrorOfSql(error));
  }

  error(error: WireError): void {
    writeError(this.#output, error);
    this.#options.metrics.countError(error.number);
    this.answered = true;
  }

  #writeOk(affectedRows: number, info: string, insertId?: bigint): void {
    const output = this.#output;
    output.beginPacket();
    output.writeU8(0);
    output.writeLength(affectedRows);
    writeInsertId(output, insertId);
    output.writeU16(this.#status());
    output.writeU16(0);
    // Length-encoded, as servers send it and the C clients read it, although the documentation says
    // otherwise.
    if (info !== "") output.writeTextWithLength(info);
    output.endPacket();
  }

  #status(): number {
    const { moreResults, transactions } = this;
    let status = moreResults ? serverStatus.moreResults : 0;
    if (transactions === undefined || transactions.autocommit) status |= serverStatus.autocommit;
    if (transactions?.inTransaction === true) status |= serverStatus.inTransaction;
    return status;
  }

  #handOver(): void {
    this.#output.flush();
    const { unsentBytes, unsentTooMuch, resultBufferBytesMax } = this.#options;
    const alone = unsentBytes() > resultBufferBytesMax;
    if (!alone && !unsentTooMuch()) return;
    const whose = "much of this result, as others have of theirs,";
    const left = alone ? `more than ${resultBufferBytesMax} bytes of this result` : whose;
    this.error(protocolError(
      "result_too_large",
      `the client has left ${left} unread; read faster, or ask for fewer rows (LIMIT)`,
    ));
  }
}

/** A length-encoded integer of up to 64 bits; negative numbers as MySQL sends them, in two's complement. */
function writeInsertId(output: OutputBuffer, id: bigint | undefined): void {
  if (id === undefined || (id >= 0n && id <= 0xffff_ffffn)) return output.writeLength(Number(id ?? 0n));
  const unsigned = BigInt.asUintN(64, id);
  output.writeU8(0xfe);
  output.writeU32(Number(unsigned & 0xffff_ffffn));
  output.writeU32(Number(unsigned >> 32n));
}

const messageLengthMax = 512;

export function writeError(output: OutputBuffer, error: WireError): void {
  output.beginPacket();
  output.writeU8(0xff);
  output.writeU16(error.number);
  output.writeText(`#${error.state}${error.message.slice(0, messageLengthMax)}`);
  output.endPacket();
}
