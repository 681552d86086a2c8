// Sums the metrics of several brokers.

/** Metrics that are the same on every broker, or that cannot be added. */
const NOT_SUMMED: readonly string[] = ["retained", "retainedBytes", "uptimeSeconds"];

export function sumMetrics<Names extends string>(
  own: Readonly<Record<Names, number>>,
  others: Iterable<Readonly<Record<string, number>>>,
): Readonly<Record<Names, number>> {
  const sum: Record<string, number> = { ...own };
  for (const metrics of others) {
    for (const [name, value] of Object.entries(metrics)) {
      if (!NOT_SUMMED.includes(name)) sum[name] = (sum[name] ?? 0) + value;
    }
  }
  return sum as Record<Names, number>;
}
