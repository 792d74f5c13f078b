// Ranges that are chosen on the axes of parallel coordinates.

/** From the upper to the lower end, in the drawing's own units. */
export type Band = readonly [number, number];
export type Bands = Readonly<Record<string, Band>>;

const least = 4;

/** The band between where one pressed and where one is; none for a mere click. */
export const bandOf = (from: number, to: number): Band | undefined => (Math.abs(from - to) < least ? undefined : [Math.min(from, to), Math.max(from, to)]);

export function withBand(bands: Bands, axis: string, band: Band | undefined): Bands {
  const rest = Object.fromEntries(Object.entries(bands).filter(([id]) => id !== axis));
  return band ? { ...rest, [axis]: band } : rest;
}

/** Whether what is at these heights is in every band; without a height it is in none. */
export const isWithin = (bands: Bands, at: (axis: string) => number | undefined): boolean =>
  Object.entries(bands).every(([axis, [top, bottom]]) => { const y = at(axis); return y !== undefined && y >= top && y <= bottom; });
