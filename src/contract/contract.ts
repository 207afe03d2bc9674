/**
 * A contract as the rest of the workshop sees it: what `contract.yaml` says after validation, with every default filled
 * in. The schema (`schema.ts`) makes exactly this.
 */
export interface Contract {
  /** 2 has what an operation touches: table, key, range, rows, steps. */
  readonly version: 1 | 2;
  readonly name: string;
  readonly description: string;

  // The eight topics.
  readonly data: DataTopic;
  readonly sharding: { readonly shards: number; readonly locality: "none" | "by_key_prefix" };
  readonly replication: { readonly nodes: number; readonly consensus: "none" | "raft" };
  readonly consistency: {
    readonly reads: "linearizable" | "stale_allowed";
    readonly transactions: "none" | "single_statement" | "one_shot" | "interactive";
    readonly isolation: "serializable" | "snapshot" | "read_committed";
  };
  readonly storage: {
    /** `every_commit`: acknowledged means flushed to the device. `interval`: at most `lossWindowMs` may be lost. */
    readonly durability: "every_commit" | "interval" | "none";
    readonly lossWindowMs?: number | undefined;
    /** `memory`: all data, with log and snapshots. `auto`: by latency and size (engine-choice.ts). */
    readonly placement: "auto" | "memory" | "disk";
    readonly checksums: boolean;
  };
  readonly caching: { readonly rowCache: "none" | "lru" | "w_tinylfu" };
  readonly surface: {
    readonly protocols: readonly ("mysql" | "http" | "postgresql" | "embedded")[];
    readonly transactions: "none" | "multi_statement_packet";
  };
  readonly failure: {
    readonly tolerates: readonly ("process_crash" | "power_loss" | "node_loss" | "partition")[];
    readonly recoverySecondsMax: number;
  };

  readonly workload: WorkloadSpec;
  readonly targets: Targets;
  /** Sentences that must stay true; those with an `oracle` are checked by a gate. */
  readonly invariants: readonly { readonly text: string; readonly oracle?: string | undefined }[];
  readonly nonGoals: readonly string[];
  /** What the workload needs beyond rows by key; a contract that is written by hand usually leaves it out. */
  readonly needs?: readonly NeedSpec[] | undefined;
}

export interface NeedSpec {
  /** A feature of the model. */
  readonly feature: string;
  /** Statements of the sources that need it; 0 for what only their schema has. */
  readonly statements: number;
  readonly because: string;
}

export interface DataTopic {
  readonly tables: readonly TableSpec[];
  readonly keyEncoding: "order_preserving";
}

export interface TableSpec {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly primaryKey: readonly string[];
  /** Secondary indexes; undefined where none is asked for. */
  readonly indexes?: readonly IndexSpec[] | undefined;
  /** Expected number of rows. */
  readonly rows: number;
}

export interface IndexSpec {
  readonly name: string;
  /** In order. */
  readonly columns: readonly string[];
}

export interface Column {
  readonly name: string;
  readonly type: "bigint" | "int" | "double" | "varchar" | "varbinary";
  readonly lengthMax?: number | undefined;
  readonly nullable: boolean;
  /** The values that the workload uses, exactly: 64-bit integers do not fit a double. */
  readonly valueMin?: bigint | undefined;
  readonly valueMax?: bigint | undefined;
}

export interface WorkloadSpec {
  readonly benchmark: "taobench" | "ycsb" | "bulk_ingest" | "key_value";
  /**
   * A workload of the benchmark: `o` or `a` of TAOBench, `a` to `f` of YCSB, `grants` of bulk_ingest, `sndv` of
   * key_value.
   */
  readonly profile: string;
  /** Edges of TAOBench (two objects each), records of YCSB and bulk_ingest, keys of key_value. */
  readonly scale: number;
  readonly clients: number;
  readonly loop: "closed" | "open";
  /** Open loop only. */
  readonly operationsPerSecond?: number | undefined;
  /** What the workload does; the benchmark's own mix where the file lists none. */
  readonly operations?: readonly OperationSpec[] | undefined;
  /** The contract's own tables, where they and its operations are driven instead of the benchmark's. */
  readonly tables?: readonly TableSpec[] | undefined;
  /** With `tables`: transactions are sent statement by statement, as a client does that thinks between them. */
  readonly interactive?: boolean | undefined;
}

/** What a statement touches, as far as a contract says so. */
export interface OperationTarget {
  /** One of the contract's tables; drawn by their rows where left out. */
  readonly table?: string | undefined;
  /** Columns that are compared by equality; where left out the primary key, and of a scan none. */
  readonly key?: readonly string[] | undefined;
  /** The column in whose order a scan goes on from a value. */
  readonly range?: string | undefined;
  /** Rows that a scan reads, or that an insert stores. */
  readonly rows?: number | undefined;
}

export interface OperationSpec extends OperationTarget {
  /** As in reports: READ, WRITE, READTRANSACTION, WRITETRANSACTION, SCAN, … */
  readonly name: string;
  /** Its share is its weight over the sum of all weights. */
  readonly weight: number;
  /** How keys are chosen. `sharded`: weighted between TAOBench's 50 shards, uniform inside one. */
  readonly distribution: "uniform" | "zipfian" | "latest" | "sharded";
  /** Zipfian only: the constant, for example 0.99. */
  readonly skew?: number | undefined;
  /** Bytes of the value that it reads or writes. */
  readonly valueBytes?: number | undefined;
  /** Statements per transaction. */
  readonly statementsMin?: number | undefined;
  readonly statementsMax?: number | undefined;
  /** What a transaction does, in order; reads and updates by turns where left out. */
  readonly steps?: readonly TransactionStepSpec[] | undefined;
}

/**
 * A column of a step that has, in every transaction, the value of a column of an earlier step. Where steps come more
 * than once, the n-th statement takes the value of the n-th there, or of the last one.
 */
export interface SharedColumn {
  /** Which the step compares by equality or, as an INSERT, stores. */
  readonly column: string;
  /** Number of the step, from 1; the step's own number: all of its statements have the value of the first. */
  readonly step: number;
  /** The column there; the same name where left out. */
  readonly of?: string | undefined;
}

/** One kind of statement within a transaction. */
export interface TransactionStepSpec extends OperationTarget {
  readonly operation: "READ" | "UPDATE" | "INSERT" | "DELETE" | "SCAN";
  /** How often in a row. */
  readonly times?: number | undefined;
  /** As of an operation; the transaction's where left out. */
  readonly skew?: number | undefined;
  readonly shares?: readonly SharedColumn[] | undefined;
}

export interface Targets {
  readonly throughputMin?: number | undefined;
  readonly p99UsMax?: number | undefined;
  /** The operating system's memory that the user grants; below it more memory is no loss. */
  readonly memoryMiBMax: number;
  /** Non-inferiority margins of the guards: the candidate may be worse by at most this ratio. */
  readonly p99RatioMax: number;
  readonly memoryRatioMax: number;
}
