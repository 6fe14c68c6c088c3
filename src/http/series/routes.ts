import type { FastifyReply } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { RESOLUTION_MS, startOf } from '../../jobs/series/interval.ts'
import type { SeriesRange } from '../../jobs/series/series-store.ts'
import { listedScope, ProjectQuery } from '../access/listed-project.ts'
import { requires } from '../access/security.ts'
import type { JobResource } from '../jobs/job-resource.ts'
import { isoTime, Time } from '../parameters.ts'
import { fieldError, problemResponses } from '../problem.ts'
import type { Services } from '../services.ts'
import { SeriesDocuments } from './series-documents.ts'
import { Interval, Series, seriesPointView } from './view.ts'

/** The longest month in hours, and rounded up. */
const MAX_INTERVALS = 1_000
const DEFAULT_INTERVALS = { hour: 48, day: 30 } as const
/** The times that RFC 3339 can write. */
const FIRST_MS = Date.parse('0000-01-01T00:00:00Z')
const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z')

const SeriesQuery = z.object({
  ...ProjectQuery,
  interval: Interval.default('hour'),
  from: Time.optional().describe(
    'The series starts with the interval that contains this time. Default: 48 hours or 30 days before its end.',
  ),
  to: Time.optional().describe(
    'The series ends before this time. Default: now, the current interval included.',
  ),
})

/** Shows what jobs of one kind did over time. */
export function seriesRoutes(
  { series }: Pick<Services, 'series'>,
  { kind, path, tag, name }: JobResource,
): FastifyPluginAsyncZod {
  const documents = new SeriesDocuments()
  return async (app) => {
    app.get(
      `${path}/series`,
      {
        schema: {
          tags: [tag],
          operationId: `read${name}Series`,
          security: requires('conversions:read'),
          summary: `Show what ${kind}s did per hour or per day`,
          description: `The series has one item for each interval of UTC, oldest first, also where nothing happened. A ${kind} counts in the interval in which it ended. One that is retried by request counts again when it ends again. Hours are kept for \`RECORD_BROKER_HOURLY_SERIES_DAYS\` and days for \`RECORD_BROKER_DAILY_SERIES_DAYS\`. A series has at most ${MAX_INTERVALS} items.`,
          querystring: SeriesQuery,
          response: { 200: Series, ...problemResponses(400, 503) },
        },
      },
      async (request, reply) => {
        const range = rangeOf(request.query)
        const visible = series.in(listedScope(request.caller, request.query.project))
        const points = await visible.read(kind, range)
        const document = await documents.of(points, async () => ({
          interval: range.resolution,
          from: isoTime(range.start),
          to: isoTime(range.end),
          ...((await visible.isBackfilling(kind)) && { backfilling: true as const }),
          items: points.map(seriesPointView),
        }))
        // Encoded by its schema already. Fastify sends buffers as they are.
        return (reply as FastifyReply).type('application/json; charset=utf-8').send(document) as never
      },
    )
  }
}

/** @throws HttpError INVALID_REQUEST */
function rangeOf({ interval, from, to }: z.infer<typeof SeriesQuery>): SeriesRange {
  const lengthMs = RESOLUTION_MS[interval]
  // The end is exclusive: an interval that starts with it does not count.
  const lastMs = to === undefined ? Date.now() : Date.parse(to) - 1
  const end = startOf(interval, lastMs) + lengthMs
  const start =
    from === undefined ? end - DEFAULT_INTERVALS[interval] * lengthMs : startOf(interval, Date.parse(from))
  if (start >= end) throw fieldError(400, 'INVALID_REQUEST', 'querystring.from', 'has to be before `to`')
  if (start < FIRST_MS || end > LAST_MS) {
    const detail = 'the series would leave the years 0000 to 9999'
    throw fieldError(400, 'INVALID_REQUEST', `querystring.${end > LAST_MS ? 'to' : 'from'}`, detail)
  }
  if ((end - start) / lengthMs > MAX_INTERVALS) {
    const detail = `the series would have more than ${MAX_INTERVALS} intervals; choose a later time, or interval=day`
    throw fieldError(400, 'INVALID_REQUEST', 'querystring.from', detail)
  }
  return { resolution: interval, start, end }
}
