/**
 * WorkloadSession: one client of a workload on one MySQL connection: an operation in, its verified outcome out.
 *
 * Steps of an operation: tell the verifier, note the floors of its reads, send, check every row in place
 * as it arrives, check the number of results, tell the verifier how it ended. A transaction that failed is
 * rolled back before the next operation, as TAOBench's driver does.
 *
 * Interactive transactions go statement by statement. The verifier is told of their writes before COMMIT is sent, so
 * that whoever reads them earlier is found out. An error that names a conflict (1213, 1205) means that nothing of the
 * transaction was done and that it may be tried again: it is rolled back and begun again, at most `attemptsMax` times.
 */
import type { RowView } from "../../workload/row-view.ts";
import type { Floor, Operation, OperationStep, ReadStep, ScanStep, Verifier } from "../../workload/workload.ts";
import type { MySqlClient, ResultHandler } from "./mysql-client.ts";
import { MySqlError } from "./mysql-error.ts";
import type { OperationSession, Outcome } from "./operation-session.ts";
import type { StatementMapping } from "./statement-mapping.ts";

/** Of transactions that conflict one commits: so many in a row do not lose by chance. */
const attemptsMax = 100;

const noWrong: Outcome = { error: undefined, wrong: undefined };

export class WorkloadSession implements OperationSession, ResultHandler {
  readonly #client: MySqlClient;
  readonly #mapping: StatementMapping;
  readonly #verifier: Verifier | undefined;
  readonly #interactive: boolean;
  #operation: Operation | undefined;
  #done: (operation: Operation, outcome: Outcome) => void = () => undefined;
  /** The step of the first result of the present request; −1 for START TRANSACTION. */
  #firstStep = 0;
  #rowsInResult = 0;
  #results = 0;
  #wrong: string | undefined;
  readonly #floors: Floor[] = [];
  readonly #changed: (number | undefined)[] = [];
  #stepwise = true;
  #isIssued = false;
  #conflicts = 0;

  /** Without a verifier rows are received and not looked at. */
  constructor(client: MySqlClient, mapping: StatementMapping, verifier: Verifier | undefined, interactive = false) {
    this.#interactive = interactive;
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
    this.#conflicts = 0;
    this.#isIssued = false;
    this.#stepwise = !operation.transaction || this.#interactive;
    if (!operation.transaction || !this.#interactive) this.#issue(operation);
    this.#begin(operation);
  }

  #issue(operation: Operation): void {
    if (!this.#isIssued) this.#verifier?.issued(operation);
    this.#isIssued = true;
  }

  #begin(operation: Operation): void {
    this.#rowsInResult = 0;
    this.#results = 0;
    const verifier = this.#verifier;
    if (verifier !== undefined) {
      const { steps } = operation;
      for (let index = 0; index < steps.length; index++) {
        const step = steps[index];
        const reads = step.kind === "read" || step.kind === "scan" || step.kind === "page";
        this.#floors[index] = reads ? verifier.floor(step as ReadStep, operation) : undefined;
        this.#changed[index] = undefined;
      }
    }
    if (this.#stepwise) return this.#sendStep(operation.transaction ? -1 : 0);
    this.#firstStep = -1;
    this.#mapping.writeTransaction(this.#client, operation);
    this.#client.send(this);
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
    const expected = this.#stepwise ? 1 : operation.steps.length + 2;
    if (this.#results !== expected) this.#wrong ??= `${this.#results} results instead of ${expected}`;
    // Behind its last step a transaction has its COMMIT.
    const stepsMax = operation.transaction ? operation.steps.length + 1 : operation.steps.length;
    if (this.#stepwise && this.#firstStep + 1 < stepsMax) {
      this.#results = 0;
      return this.#sendStep(this.#firstStep + 1);
    }
    this.#verifier?.acknowledged(operation, this.#changed);
    const plain = this.#wrong === undefined && this.#conflicts === 0;
    this.#done(operation, plain ? noWrong : { error: undefined, wrong: this.#wrong, conflicts: this.#conflicts });
  }

  #sendStep(index: number): void {
    this.#firstStep = index;
    const { transaction, steps } = this.#operation as Operation;
    if (transaction && (index < 0 || index === steps.length)) {
      if (index >= 0) this.#issue(this.#operation as Operation);
      this.#client.beginQuery();
      this.#client.request.latin1(index < 0 ? "START TRANSACTION" : "COMMIT");
      return this.#client.send(this);
    }
    const step = this.#step(index) as OperationStep;
    this.#client.send(this, this.#mapping.writeStep(this.#client, step));
  }

  #step(index: number): OperationStep | undefined {
    return (this.#operation as Operation).steps[index];
  }

  #failed(operation: Operation, error: Error): void {
    const again = this.#stepwise && operation.transaction && error instanceof MySqlError && error.isContention &&
      this.#conflicts + 1 < attemptsMax;
    if (again) {
      this.#conflicts++;
      return this.#rollBack(() => this.#begin(operation));
    }
    this.#verifier?.failed(operation);
    const outcome = { error, wrong: this.#wrong, conflicts: this.#conflicts };
    const isServerError = (error as { code?: string }).code === "MYSQL";
    if (!operation.transaction || !isServerError) return this.#done(operation, outcome);
    this.#rollBack(() => this.#done(operation, outcome));
  }

  /** A connection that is lost meanwhile shows with the next request. */
  #rollBack(onDone: () => void): void {
    this.#client.beginQuery();
    this.#client.request.latin1("ROLLBACK");
    this.#client.send({ onRow: () => undefined, onResult: () => undefined, onDone });
  }
}
