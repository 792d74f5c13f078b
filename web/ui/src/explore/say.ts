/** A number as short as one can read it: 12.3k, 0.0042. */
export function sayNumber(v: number | null | undefined): string {
  if (v === null || v === undefined || Number.isNaN(v)) return "–";
  const size = Math.abs(v);
  const units: [number, string][] = [[1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e4, "k"]];
  for (const [unit, letter] of units) if (size >= unit) return `${Number((v / (letter === "k" ? 1e3 : unit)).toPrecision(4))}${letter}`;
  if (size !== 0 && size < 1e-4) return v.toExponential(2);
  return String(Number(v.toPrecision(4)));
}
