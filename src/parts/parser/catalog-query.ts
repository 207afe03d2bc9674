/**
 * Queries over what the server says of itself: SELECT … FROM information_schema.…, and the WHERE of SHOW.
 *
 * They are not planned as reads of stored rows are: their tables are small and made when they are asked for, so that
 * joins, grouping and any expression over columns can be had by looking at every row.
 */
import type { Operand } from "./statement.ts";

export type CatalogComparison = "=" | "<>" | "<" | "<=" | ">" | ">=" | "<=>" | "LIKE";

export type CatalogExpression =
  | { readonly kind: "operand"; readonly operand: Operand }
  | { readonly kind: "column"; readonly qualifier: string | undefined; readonly name: string }
  /** `@@name`, lower case. */
  | { readonly kind: "variable"; readonly name: string }
  /** `NAME(…)`, upper case; `COUNT(*)` has no arguments. */
  | {
      readonly kind: "call";
      readonly name: string;
      readonly inner: readonly CatalogExpression[];
      readonly distinct: boolean;
    }
  | {
      readonly kind: "comparison";
      readonly comparison: CatalogComparison;
      readonly left: CatalogExpression;
      readonly right: CatalogExpression;
    }
  | {
      readonly kind: "in";
      readonly left: CatalogExpression;
      readonly among: readonly CatalogExpression[] | CatalogQuery;
    }
  | { readonly kind: "isNull"; readonly inner: CatalogExpression }
  | { readonly kind: "not"; readonly inner: CatalogExpression }
  | { readonly kind: "and" | "or"; readonly inner: readonly CatalogExpression[] }
  | {
      readonly kind: "case";
      readonly branches: readonly { readonly when: CatalogExpression; readonly result: CatalogExpression }[];
      readonly otherwise: CatalogExpression | undefined;
    };

export interface CatalogSource {
  /** Name in information_schema, as written. */
  readonly table: string;
  readonly alias: string;
  readonly join: "inner" | "left";
  readonly on: CatalogExpression | undefined;
  /** USING (columns). */
  readonly using: readonly string[];
}

export type CatalogItem =
  /** `*` or `alias.*`. */
  | { readonly kind: "all"; readonly qualifier: string | undefined }
  | {
      readonly kind: "one";
      readonly expression: CatalogExpression;
      readonly alias: string | undefined;
      readonly written: string;
    };

export interface CatalogQuery {
  readonly items: readonly CatalogItem[];
  readonly distinct: boolean;
  readonly sources: readonly CatalogSource[];
  readonly where: CatalogExpression | undefined;
  readonly groupBy: readonly CatalogExpression[];
  readonly orderBy: readonly { readonly expression: CatalogExpression; readonly descending: boolean }[];
  readonly limit: Operand | undefined;
  readonly offset: Operand | undefined;
}

export interface CatalogQueryStatement {
  readonly kind: "catalogQuery";
  readonly query: CatalogQuery;
}
