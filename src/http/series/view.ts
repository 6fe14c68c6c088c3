import { z } from 'zod'
import { RESOLUTIONS } from '../../jobs/series/interval.ts'
import type { Percentiles, SeriesPoint } from '../../jobs/series/series-store.ts'
import { isoTime, Timestamp } from '../parameters.ts'

export const Interval = z.enum(RESOLUTIONS as ['hour', 'day'])

const Count = z.int().nonnegative()
const Milliseconds = z.int().nonnegative()

const DurationPercentiles = z.object({ p50: Milliseconds, p90: Milliseconds, p99: Milliseconds }).meta({
  id: 'DurationPercentiles',
  description:
    'Durations in milliseconds that 50, 90 and 99 % of jobs did not exceed, estimated within 19 % from a histogram.',
})

const SeriesPointView = z
  .object({
    from: Timestamp.describe('The start of the interval, in UTC.'),
    succeeded: Count.describe('Jobs that ended in this state.'),
    failed: Count,
    cancelled: Count,
    attemptCount: Count.describe('Attempts that ended.'),
    retryCount: Count.describe('Attempts that failed and were followed by another one.'),
    bytesIn: Count.describe('The compressed bytes of layers that were converted or verified.'),
    bytesOut: Count.describe('The compressed bytes of layers that conversions wrote.'),
    bytesReused: Count.describe(
      'The compressed bytes of layers of earlier conversions that were used unchanged.',
    ),
    waitMs: DurationPercentiles.optional().describe(
      'How long the jobs that ended were queued before a worker first started them. Omitted if there were none.',
    ),
    runMs: DurationPercentiles.optional().describe(
      'How long the jobs that succeeded took from their first start to their end. Omitted if there were none.',
    ),
  })
  .meta({ id: 'SeriesPoint', description: 'What jobs did in one hour or one day.' })

export const Series = z
  .object({
    interval: Interval,
    from: Timestamp.describe('The start of the first interval.'),
    to: Timestamp.describe('The end of the last interval.'),
    backfilling: z
      .literal(true)
      .optional()
      .describe('Jobs that ended before an upgrade are still being added to the counts.'),
    items: z.array(SeriesPointView),
  })
  .meta({
    id: 'Series',
    description: 'What jobs did over time, by the hour or the day in which they ended.',
    examples: [
      {
        interval: 'day',
        from: '2026-01-02T00:00:00.000Z',
        to: '2026-01-03T00:00:00.000Z',
        items: [
          {
            from: '2026-01-02T00:00:00.000Z',
            succeeded: 120,
            failed: 2,
            cancelled: 0,
            attemptCount: 125,
            retryCount: 3,
            bytesIn: 81_920_000_000,
            bytesOut: 82_000_000_000,
            bytesReused: 40_000_000_000,
            waitMs: { p50: 210, p90: 1_800, p99: 9_500 },
            runMs: { p50: 11_000, p90: 48_000, p99: 130_000 },
          },
        ],
      },
    ],
  })

export function seriesPointView({ start, counts, wait, run }: SeriesPoint): z.infer<typeof SeriesPointView> {
  return {
    from: isoTime(start),
    succeeded: counts.succeeded,
    failed: counts.failed,
    cancelled: counts.cancelled,
    attemptCount: counts.attempts,
    retryCount: counts.retries,
    bytesIn: counts.bytes_in,
    bytesOut: counts.bytes_out,
    bytesReused: counts.bytes_reused,
    ...(wait && { waitMs: percentilesView(wait) }),
    ...(run && { runMs: percentilesView(run) }),
  }
}

function percentilesView({ p50, p90, p99 }: Percentiles): z.infer<typeof DurationPercentiles> {
  return { p50, p90, p99 }
}
