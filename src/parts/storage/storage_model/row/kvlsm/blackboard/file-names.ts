/** Names of the files in a store's directory, and what a name says. */

export const currentName = "CURRENT";
export const currentTemporaryName = "CURRENT.tmp";

export function tableName(number: number): string {
  return `${String(number).padStart(8, "0")}.sst`;
}

export function manifestName(number: number): string {
  return `MANIFEST-${String(number).padStart(8, "0")}`;
}

export type StoreFile =
  | { readonly kind: "table"; readonly number: number }
  | { readonly kind: "manifest"; readonly number: number }
  | { readonly kind: "current" | "temporary" };

/** Undefined for names that are not the store's; those are left alone. */
export function parseStoreFile(name: string): StoreFile | undefined {
  if (name === currentName) return { kind: "current" };
  if (name === currentTemporaryName) return { kind: "temporary" };
  const table = /^([0-9]{8,15})\.sst$/.exec(name);
  if (table !== null) return { kind: "table", number: Number(table[1]) };
  const manifest = /^MANIFEST-([0-9]{8,15})$/.exec(name);
  return manifest === null ? undefined : { kind: "manifest", number: Number(manifest[1]) };
}
