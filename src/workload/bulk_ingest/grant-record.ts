/**
 * Records of the bulk ingest: grants as an access-review sync stores them, each a function of its number.
 *
 * | column         | content                                                                                    |
 * |----------------|--------------------------------------------------------------------------------------------|
 * | external_id    | `grant-` and the number in 12 digits, so that numbers and keys have one order               |
 * | entitlement_id | `entitlement-` and number mod E in 8 digits; E = a thousandth of the records, at least 10    |
 * | principal_id   | `principal-` and a mix of the number mod P in 8 digits; P = a tenth of the records, at least 10 |
 * | payload        | 256 letters that follow from the number                                                      |
 *
 * With its two index entries a record is about 450 bytes. The seed's own batches are 600 bytes a record, in three
 * entries with longer keys (a sync's id stands in each).
 * Source: the seed's pull request, WritePack's grants with external_id, entitlement and principal.
 */
import { mix } from "../random-stream.ts";
import { fillValue, isValue, valueState } from "../row-value.ts";

export const payloadLength = 256;
const idDigits = 12;
const refDigits = 8;
const idStart = "grant-";

export interface GrantPools {
  readonly entitlements: number;
  readonly principals: number;
}

export function grantPools(records: number): GrantPools {
  return { entitlements: Math.max(10, Math.ceil(records / 1000)), principals: Math.max(10, Math.ceil(records / 10)) };
}

export function externalId(number: number): string {
  return idStart + String(number).padStart(idDigits, "0");
}

/** The number of an external_id, or −1 where it is none. */
export function numberOf(id: string): number {
  const digits = id.slice(idStart.length);
  const valid = id.startsWith(idStart) && digits.length === idDigits && /^[0-9]+$/.test(digits);
  return valid ? Number(digits) : -1;
}

export function entitlementNumber(number: number, pools: GrantPools): number {
  return number % pools.entitlements;
}

export function principalNumber(number: number, pools: GrantPools): number {
  return (mix(number ^ 0x51ed270b) >>> 0) % pools.principals;
}

export function entitlementId(entitlement: number): string {
  return `entitlement-${String(entitlement).padStart(refDigits, "0")}`;
}

export function principalId(principal: number): string {
  return `principal-${String(principal).padStart(refDigits, "0")}`;
}

const scratch = Buffer.alloc(payloadLength);

function payloadState(number: number): number {
  return valueState(Math.floor(number / 4294967296), number >>> 0, 0, 1);
}

export function payloadOf(number: number): string {
  fillValue(payloadState(number), scratch, 0, payloadLength);
  return scratch.toString("latin1");
}

export function isPayloadOf(number: number, source: Uint8Array, start: number, length: number): boolean {
  return length === payloadLength && isValue(payloadState(number), source, start, length);
}

/** A row in the order of the columns. */
export function grantRow(number: number, pools: GrantPools): [string, string, string, string] {
  return [
    externalId(number),
    entitlementId(entitlementNumber(number, pools)),
    principalId(principalNumber(number, pools)),
    payloadOf(number),
  ];
}
