/**
 * WorkloadSession: one client of a workload on one MySQL connection: an operation in, its verified outcome out.
 *
 * Steps of an operation: tell the verifier, note the floors of its reads, send, check every row in place
 * as it arrives, check the number of results, tell the verifier how it ended. A transaction that failed is
 * rolled back before the next operation, as TAOBench's driver does.
 */
import type { RowView } from "../../workload/row-view.ts";
import type { Floor, Operation, OperationStep, ReadStep, ScanStep, Verifier } from "../../workload/workload.ts";
import type { MySqlClient, ResultHandler } from "./mysql-client.ts";
import type { OperationSession, Outcome } from "./operation-session.ts";
import type { StatementMapping } from "./statement-mapping.ts";

const noWrong: Outcome = { error: undefined, wrong: undefined };

export class WorkloadSession implements OperationSession, ResultHandler {
  readonly #client: MySqlClient;
  readonly #mapping: StatementMapping;
  readonly #verifier: Verifier | undefined;
  #operation: Operation | undefined;
  #done: (operation: Operation, outcome: Outcome) => void = () => undefined;
  /** The step of the first result of the present request; −1 for START TRANSACTION. */
  #firstStep = 0;
  #rowsInResult = 0;
  #results = 0;
  #wrong: string | undefined;
  readonly #floors: Floor[] = [];
  readonly #changed: (number | undefined)[] = [];

  /** Without a verifier rows are received and not looked at. */
  constructor(client: MySqlClient, mapping: StatementMapping, verifier: Verifier | undefined) {
    this.#client = client;
    this.#mapping = mapping;
    this.#verifier = verifier;
  }

  close(): void {
    this.#client.close();
  }

  start(operation: Operation, done: (operation: Operation, outcome: Outcome) => void): void {
    this.#operation = operation;
    this.#done = done;
    this.#wrong = undefined;
    this.#rowsInResult = 0;
    this.#results = 0;
    const verifier = this.#verifier;
    if (verifier !== undefined) {
      verifier.issued(operation);
      const { steps } = operation;
      for (let index = 0; index < steps.length; index++) {
        const step = steps[index];
        const reads = step.kind === "read" || step.kind === "scan" || step.kind === "page";
        this.#floors[index] = reads ? verifier.floor(step as ReadStep) : undefined;
        this.#changed[index] = undefined;
      }
    }
    if (operation.transaction) {
      this.#firstStep = -1;
      this.#mapping.writeTransaction(this.#client, operation);
      this.#client.send(this);
    } else {
      this.#sendStep(0);
    }
  }

  onRow(row: RowView, result: number): void {
    this.#rowsInResult++;
    if (this.#verifier === undefined || this.#wrong !== undefined) return;
    const index = this.#firstStep + result;
    const step = this.#step(index);
    if (step === undefined || (step.kind !== "read" && step.kind !== "scan" && step.kind !== "page")) {
      this.#wrong = `a row came for ${step?.kind ?? "a statement without rows"}`;
      return;
    }
    this.#wrong = this.#verifier.checkRow(step, row, this.#floors[index]);
  }

  onResult(result: number, affectedRows: number): void {
    const rows = this.#rowsInResult;
    this.#rowsInResult = 0;
    this.#results++;
    if (this.#verifier === undefined) return;
    const index = this.#firstStep + result;
    const step = this.#step(index);
    if (step === undefined) return;
    if (step.kind === "read") {
      if (rows === 0) this.#wrong ??= this.#verifier.checkMissing(step, this.#floors[index]);
      else if (rows > 1) this.#wrong ??= `${rows} rows for the key ${step.key.join(",")} of ${step.table}`;
    } else if (step.kind === "page") {
      this.#wrong ??= this.#verifier.checkPageEnd?.(step, rows, this.#floors[index]);
    } else if (step.kind !== "scan") {
      this.#changed[index] = affectedRows;
      const inserted = step.kind === "insert" ? 1 : step.kind === "insertRows" ? step.rows.length : undefined;
      if (inserted !== undefined && affectedRows !== inserted) {
        this.#wrong ??= `an insert of ${inserted} rows changed ${affectedRows}`;
      }
    } else if (rows > (step as ScanStep).limit) {
      this.#wrong ??= `a scan of ${(step as ScanStep).limit} rows returned ${rows}`;
    }
  }

  onDone(error: Error | undefined): void {
    const operation = this.#operation as Operation;
    if (error !== undefined) return this.#failed(operation, error);
    const expected = operation.transaction ? operation.steps.length + 2 : 1;
    if (this.#results !== expected) this.#wrong ??= `${this.#results} results instead of ${expected}`;
    if (!operation.transaction && this.#firstStep + 1 < operation.steps.length) {
      this.#results = 0;
      return this.#sendStep(this.#firstStep + 1);
    }
    this.#verifier?.acknowledged(operation, this.#changed);
    this.#done(operation, this.#wrong === undefined ? noWrong : { error: undefined, wrong: this.#wrong });
  }

  #sendStep(index: number): void {
    this.#firstStep = index;
    const step = this.#step(index) as OperationStep;
    this.#client.send(this, this.#mapping.writeStep(this.#client, step));
  }

  #step(index: number): OperationStep | undefined {
    return (this.#operation as Operation).steps[index];
  }

  #failed(operation: Operation, error: Error): void {
    this.#verifier?.failed(operation);
    const outcome = { error, wrong: this.#wrong };
    const isServerError = (error as { code?: string }).code === "MYSQL";
    if (!operation.transaction || !isServerError) return this.#done(operation, outcome);
    this.#client.beginQuery();
    this.#client.request.latin1("ROLLBACK");
    this.#client.send({
      onRow: () => undefined,
      onResult: () => undefined,
      onDone: () => this.#done(operation, outcome),
    });
  }
}
