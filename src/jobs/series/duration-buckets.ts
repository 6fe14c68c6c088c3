/** Buckets per doubling: each is 19 % wider than the one before. */
const BUCKETS_PER_DOUBLING = 4
/** The last bucket starts at about 50 days. */
const LAST_BUCKET = 1 + BUCKETS_PER_DOUBLING * 32

/** The numbers of durations in a histogram, by bucket. */
export type DurationCounts = ReadonlyMap<number, number>

/** The bucket of a duration in milliseconds. Bucket 0 is below a millisecond. */
export function bucketOf(ms: number): number {
  if (!(ms >= 1)) return 0
  return Math.min(LAST_BUCKET, 1 + Math.floor(BUCKETS_PER_DOUBLING * Math.log2(ms)))
}

/** The least duration of a bucket, in milliseconds. */
function lowerBoundOf(bucket: number): number {
  return bucket === 0 ? 0 : 2 ** ((bucket - 1) / BUCKETS_PER_DOUBLING)
}

/**
 * Estimates the durations in milliseconds that shares of all durations do not exceed; none if there are no
 * durations. Each differs from the exact value by less than the width of its bucket, 19 %.
 * @param shares in (0, 1], ascending
 */
export function percentilesOf(counts: DurationCounts, shares: readonly number[]): number[] {
  const buckets = [...counts].sort(([a], [b]) => a - b)
  const total = buckets.reduce((sum, [, count]) => sum + count, 0)
  const estimates: number[] = []
  let below = 0
  for (const [bucket, count] of buckets) {
    for (const share of shares.slice(estimates.length)) {
      const rank = share * total - below
      if (rank > count) break
      const [low, high] = [lowerBoundOf(bucket), lowerBoundOf(bucket + 1)]
      estimates.push(Math.round(low + ((high - low) * rank) / count))
    }
    below += count
  }
  return estimates
}
