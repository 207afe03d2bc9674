/** `product.d.ts` of an embedded library: what its users see, for JavaScript and TypeScript alike. */
import type { Contract } from "../../contract/contract.ts";
import { pascal, propertyName, rowTypes } from "../client-module.ts";
import { storeName } from "./embedded-module.ts";

export function embeddedTypes({ name, data }: Contract): string {
  const store = storeName(name);
  const tables = data.tables.map(
    ({ name: table }) => `  readonly ${propertyName(table)}: EmbeddedTable<${pascal(table)}Row, ${pascal(table)}Key>;`,
  );
  return [
    `/** ${name} as a library. */`,
    ...data.tables.map((table) => `${rowTypes(table)}\n`),
    tableTypes,
    `export declare class ${store} {`,
    ...tables,
    "  /** All writes of the batch happen, or none. */",
    "  transaction(build: (batch: EmbeddedBatch) => void): Promise<void>;",
    "  checkpoint(directory: string): Promise<void>;",
    "  metrics(): { readonly name: string; readonly help: string }[];",
    "  close(): Promise<void>;",
    "  [Symbol.asyncDispose](): Promise<void>;",
    "}",
    "",
    "export interface OpenOptions {",
    "  /** Values by name, over those of `knobs.yaml` beside the code. */",
    "  readonly knobs?: Readonly<Record<string, number | string | boolean>>;",
    "}",
    "",
    `export declare function open(directory: string, options?: OpenOptions): Promise<${store}>;`,
    "",
  ].join("\n");
}

const tableTypes = `export interface RowRange<Key> {
  readonly prefix?: Partial<Key>;
  readonly from?: Partial<Key>;
  readonly to?: Partial<Key>;
  readonly reverse?: boolean;
  readonly limit?: number;
}

/** absent: no row has the key. present: one has. Else: one has, and these values. */
export type RowCondition<Row> = "absent" | "present" | Partial<Row>;

export interface EmbeddedTable<Row extends object, Key extends object> {
  readonly name: string;
  get(key: Key): Row | undefined;
  put(row: Row): Promise<void>;
  putIf(row: Row, condition: RowCondition<Row>): Promise<boolean>;
  delete(key: Key, condition?: Partial<Row>): Promise<boolean>;
  scan(range?: RowRange<Key>): Generator<Row, void, void>;
}

export interface EmbeddedBatch {
  put<Row extends object, Key extends object>(table: EmbeddedTable<Row, Key>, row: Row): this;
  insert<Row extends object, Key extends object>(table: EmbeddedTable<Row, Key>, row: Row): this;
  delete<Row extends object, Key extends object>(table: EmbeddedTable<Row, Key>, key: Key): this;
}
`;
