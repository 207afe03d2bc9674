/** Whole numbers of any size for people: digits in groups of three up to a billion, beyond that `3.14 × 10^212`. */
export function formatMagnitude(value: bigint): string {
  const digits = value.toString();
  if (digits.length <= 10) return digits.replace(/\B(?=(\d{3})+$)/g, ",");
  const rounded = (value + 5n * 10n ** BigInt(digits.length - 4)) / 10n ** BigInt(digits.length - 3);
  // 9.996 rounds to 10.0, which is the next power.
  const carried = rounded >= 1000n;
  const head = (carried ? rounded / 10n : rounded).toString();
  return `${head[0]}.${head.slice(1)} × 10^${digits.length - (carried ? 0 : 1)}`;
}

/** `part` of `whole` in percent with one digit after the point; told apart from none and from all. */
export function formatShare(part: bigint, whole: bigint): string {
  if (part === 0n || part === whole) return part === 0n ? "0 %" : "100 %";
  const tenths = Number((part * 1000n + whole / 2n) / whole);
  if (tenths === 0) return "< 0.1 %";
  return tenths === 1000 ? "> 99.9 %" : `${(tenths / 10).toFixed(1)} %`;
}
