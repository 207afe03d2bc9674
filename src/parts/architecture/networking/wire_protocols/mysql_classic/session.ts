/**
 * The command phase of one connection: one packet is one command.
 *
 *   | command                       | what happens                                                   |
 *   |-------------------------------|----------------------------------------------------------------|
 *   | QUERY                         | the executor runs the text; results in text form               |
 *   | STMT_PREPARE, EXECUTE         | the executor plans and runs; results in binary form; who asks  |
 *   |                               | for a cursor gets all rows at once, as the protocol allows     |
 *   | STMT_FETCH                    | ERR 1421: there is no cursor                                   |
 *   | STMT_SEND_LONG_DATA, CLOSE    | kept, forgotten; no answer                                     |
 *   | STMT_RESET, RESET_CONNECTION  | long data, or all statements, are forgotten                    |
 *   | PING, INIT_DB, SET_OPTION     | OK; there is one database, which answers to every name         |
 *   | PROCESS_INFO, PROCESS_KILL    | as SHOW PROCESSLIST and KILL                                   |
 *   | FIELD_LIST                    | the columns of a table                                         |
 *   | STATISTICS                    | one line of text                                               |
 *   | anything else                 | ERR 1047                                                       |
 *
 * QUIT and CHANGE_USER are the connection's business (connection-protocol.ts).
 * Source: "Command Phase" in MySQL's source documentation.
 */
import { errorCodeOf } from "../../../../../kit/errors.ts";
import type { ExecutorSession, SessionProcess, SessionView } from "../../../../query_processing/executor.ts";
import type { ColumnValue } from "../../../catalog/table.ts";
import { withHexStrings } from "./binary-strings.ts";
import { capability } from "./capability.ts";
import { commandCode } from "./command-code.ts";
import type { OutputBuffer } from "./output-buffer.ts";
import { decodeText } from "./packet-reader.ts";
import type { PacketReader } from "./packet-reader.ts";
import type { ProtocolContext } from "./protocol-context.ts";
import { writeColumnDefinition, writeEof } from "./result-shape.ts";
import type { ResultWriter } from "./result-writer.ts";
import { SessionStatements } from "./session-statements.ts";
import type { SessionStatement } from "./session-statements.ts";
import { readParameters } from "./statement-parameters.ts";
import { surfaceStatus, surfaceVariables } from "./surface-variables.ts";
import { holdsSeveralStatements } from "./statement-text.ts";
import { protocolError, wireErrorOfThrown } from "./wire-error.ts";
import type { ProtocolErrorKind } from "./wire-error.ts";

const parametersMax = 65_535;
const databaseNameBytesMax = 256;
/** A length-encoded NULL. */
const nullDefault = Buffer.of(0xfb);
const parameterColumn = { name: "?", tableName: "", type: "varchar", nullable: true } as const;

export class Session implements SessionView {
  readonly connectionId: number;
  user = "";
  database = "";
  /** The text that is running, for SHOW PROCESSLIST. */
  runningText: string | undefined;
  readonly #context: ProtocolContext;
  readonly #output: OutputBuffer;
  readonly #results: ResultWriter;
  readonly #statements: SessionStatements;
  readonly #executor: ExecutorSession;

  constructor(context: ProtocolContext, connectionId: number, output: OutputBuffer, results: ResultWriter) {
    this.connectionId = connectionId;
    this.#context = context;
    this.#output = output;
    this.#results = results;
    this.#statements = new SessionStatements(context.limits, context);
    this.#executor = results.transactions = context.executor.openSession();
  }

  variables(): ReadonlyMap<string, ColumnValue> {
    return new Map([...surfaceVariables(this.#context), ...(this.#executor.variables?.() ?? [])]);
  }

  status(): ReadonlyMap<string, ColumnValue> {
    return surfaceStatus(this.#context);
  }

  processes(): SessionProcess[] {
    return this.#context.connections.describe(this.#context.clock.monotonicUs());
  }

  kill(connectionId: number, what: "connection" | "query"): boolean {
    return this.#context.connections.kill(connectionId, what);
  }

  /** Forgets everything the client left here. */
  reset(): void {
    this.#statements.clear();
    this.#executor.reset();
  }

  /**
   * Runs one command, for which the answer was begun. Undefined when it has been answered;
   * otherwise a promise, after which `conclude` is due.
   * Errors: what a malformed packet or the executor throws; `conclude` turns it into an answer.
   */
  run(command: number, reader: PacketReader): Promise<void> | undefined {
    switch (command) {
      case commandCode.execute:
        return this.#execute(reader);
      case commandCode.query:
        return this.#query(reader);
      case commandCode.prepare:
        this.#prepare(reader);
        return undefined;
      case commandCode.sendLongData:
        this.#results.markAnswered();
        this.#sendLongData(reader);
        return undefined;
      case commandCode.closeStatement:
        this.#results.markAnswered();
        this.#statements.remove(reader.u32());
        return undefined;
      case commandCode.resetStatement: {
        const statement = this.#find(reader.u32(), "reset");
        if (statement === undefined) return undefined;
        this.#statements.forgetLongData(statement);
        this.#results.ok();
        return undefined;
      }
      case commandCode.fetch: {
        const statement = this.#find(reader.u32(), "fetch from");
        if (statement === undefined) return undefined;
        return this.#fail("no_open_cursor", `The statement (${statement.id}) has no open cursor.`);
      }
      case commandCode.fieldList:
        this.#listFields(reader.textUntilNul());
        return undefined;
      case commandCode.initDb:
        this.database = reader.text(Math.min(reader.remaining, databaseNameBytesMax));
        this.#results.ok();
        return undefined;
      case commandCode.processKill:
        this.#kill(reader.u32());
        return undefined;
      case commandCode.processInfo:
        return this.#executor.query("SHOW PROCESSLIST", this.#results);
      case commandCode.ping:
        this.#results.ok();
        return undefined;
      case commandCode.resetConnection:
        this.reset();
        this.#results.ok();
        return undefined;
      case commandCode.setOption:
        this.#setOption(reader.u16());
        return undefined;
      case commandCode.statistics:
        this.#writeStatistics();
        return undefined;
      default:
        this.#fail("unknown_command", `this server does not know command ${command}`);
        return undefined;
    }
  }

  /**
   * Gives a command that has ended the answer that it lacks: for what was thrown, or for saying
   * nothing at all.
   */
  conclude(thrown: unknown): void {
    const results = this.#results;
    if (thrown === undefined) {
      if (results.answered) return;
      this.#context.log.error("mysql_statement_unanswered");
      this.#fail("internal", "the server ran this statement and has no result for it");
      return;
    }
    const error = wireErrorOfThrown(thrown);
    const code = errorCodeOf(thrown);
    if (error.number === 1105) {
      const { name, message, stack } = thrown instanceof Error ? thrown : new Error(String(thrown));
      this.#context.log.error("mysql_statement_failed", { name, message, stack });
    }
    if (results.answered) return;
    if (code === "PROTOCOL") this.#fail("malformed", (thrown as Error).message);
    else if (code === "INVALID_ARGUMENT") this.#fail("wrong_arguments", (thrown as Error).message);
    else results.error(error);
  }

  #query(reader: PacketReader): Promise<void> | undefined {
    const results = this.#results;
    const { bytes, position, end } = reader;
    const sql = decodeText(bytes, position, end) ?? withHexStrings(bytes.subarray(position, end));
    if (sql === undefined) {
      return this.#fail("invalid_text", "this text is not UTF-8; bind bytes as parameters, or write X'…'");
    }
    if ((results.capabilities & capability.multiStatements) === 0 && holdsSeveralStatements(sql)) {
      return this.#fail("several_statements", "several statements in one text need CLIENT_MULTI_STATEMENTS");
    }
    if (sql.trim() === "") return this.#fail("empty_query", "Query was empty");
    this.runningText = sql;
    return this.#executor.query(sql, results);
  }

  #execute(reader: PacketReader): Promise<void> | undefined {
    const statement = this.#find(reader.u32(), "execute");
    if (statement === undefined) return undefined;
    reader.take(5);
    const refused = statement.longDataRefused;
    if (refused !== undefined) {
      this.#statements.forgetLongData(statement);
      return this.#fail(refused, "long data was refused: too large, or for no parameter");
    }
    readParameters(reader, statement);
    if (statement.longData !== undefined) this.#statements.forgetLongData(statement);
    return this.#executor.execute(statement.prepared, statement.values, this.#results);
  }

  /**
   * Answer: 00, id 4, columns 2, parameters 2, 00, warnings 2; then the definitions of parameters
   * and of columns.
   */
  #prepare(reader: PacketReader): void {
    const sql = decodeText(reader.bytes, reader.position, reader.end);
    if (sql === undefined) return void this.#fail("invalid_text", "this text is not UTF-8");
    if (!this.#statements.hasRoom(sql.length)) {
      return void this.#fail("too_many_statements", "too many prepared statements; close some");
    }
    const prepared = this.#context.executor.prepare(sql);
    if (prepared.parameterCount > parametersMax) {
      return void this.#fail("wrong_arguments", `a statement may have ${parametersMax} parameters`);
    }
    const statement = this.#statements.add(prepared, sql.length);
    if (statement === undefined) {
      return void this.#fail("too_many_statements", "the prepared statements have too many parameters; close some");
    }
    const columns = prepared.shape?.columns ?? [];
    const output = this.#output;
    output.beginPacket();
    output.writeU8(0);
    output.writeU32(statement.id);
    output.writeU16(columns.length);
    output.writeU16(prepared.parameterCount);
    output.writeU8(0);
    output.writeU16(0);
    output.endPacket();
    for (let i = 0; i < prepared.parameterCount; i++) writeColumnDefinition(output, parameterColumn);
    if (prepared.parameterCount > 0) this.#endDefinitions();
    for (const column of columns) writeColumnDefinition(output, column);
    if (columns.length > 0) this.#endDefinitions();
    this.#results.markAnswered();
  }

  #endDefinitions(): void {
    if ((this.#results.capabilities & capability.deprecateEof) === 0) writeEof(this.#output, 2);
  }

  #kill(connectionId: number): void {
    if (!this.kill(connectionId, "connection")) {
      return void this.#fail("unknown_thread", `Unknown thread id: ${connectionId}`);
    }
    this.#results.ok();
  }

  /** Column definitions as in a result, each followed by its default, which is NULL. */
  #listFields(table: string): void {
    const prepared = this.#context.executor.prepare(`SELECT * FROM \`${table.replaceAll("`", "``")}\``);
    for (const column of prepared.shape?.columns ?? []) writeColumnDefinition(this.#output, column, nullDefault);
    this.#results.end();
  }

  #sendLongData(reader: PacketReader): void {
    const statement = this.#statements.find(reader.u32());
    const parameter = reader.u16();
    if (statement === undefined) return;
    this.#statements.addLongData(statement, parameter, reader.view(reader.remaining));
  }

  #setOption(option: number): void {
    const results = this.#results;
    if (option > 1) return void this.#fail("unknown_command", `this server does not know option ${option}`);
    if (option === 0) results.capabilities |= capability.multiStatements;
    else results.capabilities &= ~capability.multiStatements;
    results.end();
  }

  #writeStatistics(): void {
    const { metrics, clock, startedMs, statements } = this.#context;
    const seconds = Math.max(0, Math.floor((clock.nowMs() - startedMs) / 1000));
    this.#output.beginPacket();
    this.#output.writeText(
      `Uptime: ${seconds}  Threads: ${metrics.connectionsOpen}  Questions: ${metrics.commandsTotal}  ` +
        `Prepared statements: ${statements.used}`,
    );
    this.#output.endPacket();
    this.#results.markAnswered();
  }

  #find(id: number, verb: string): SessionStatement | undefined {
    const statement = this.#statements.find(id);
    if (statement === undefined) this.#fail("unknown_statement", `no prepared statement ${id} to ${verb}`);
    return statement;
  }

  #fail(kind: ProtocolErrorKind, message: string): undefined {
    this.#results.error(protocolError(kind, message));
    return undefined;
  }
}
