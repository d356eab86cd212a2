/** What samples say beside their median. */
export interface Spread {
  readonly p95: number
  readonly p99: number
  /** Standard deviation. */
  readonly sd: number
}

export function spreadOf(samples: readonly number[]): Spread {
  return {
    p95: percentile(samples, 95),
    p99: percentile(samples, 99),
    sd: standardDeviation(samples),
  }
}

/** The least sample that is not below `percent` of 100 of them. */
export function percentile(samples: readonly number[], percent: number): number {
  if (samples.length === 0) throw new RangeError('Nothing has no percentile')
  const sorted = [...samples].sort((a, b) => a - b)
  const rank = Math.max(1, Math.ceil((percent / 100) * sorted.length))
  return sorted[rank - 1] as number
}

/** Of a sample of all that could be measured: divided by one less than there are. */
export function standardDeviation(samples: readonly number[]): number {
  if (samples.length < 2) return 0
  const mean = samples.reduce((sum, one) => sum + one, 0) / samples.length
  const squares = samples.reduce((sum, one) => sum + (one - mean) ** 2, 0)
  return Math.sqrt(squares / (samples.length - 1))
}
