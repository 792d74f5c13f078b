/** Small bars of counts over time. Never the only place of a number: the count stands beside it. */
export function Spark({ values, label, width = 90, height = 18 }: { values: readonly number[]; label: string; width?: number; height?: number }) {
  const top = Math.max(1, ...values);
  const step = width / Math.max(1, values.length);
  const path = values.map((v, i) => (v === 0 ? "" : `M${(i * step + step / 2).toFixed(1)} ${height}v${(-Math.max(1.5, (v / top) * (height - 1))).toFixed(1)}`)).join("");
  return (
    <svg width={width} height={height} role="img" aria-label={label} style={{ display: "block" }}>
      <path d={`M0 ${height - 0.5}H${width}`} stroke="var(--fl-line)" />
      <path d={path} stroke="var(--fl-wire)" strokeWidth={Math.max(1, step - 1)} />
    </svg>
  );
}
