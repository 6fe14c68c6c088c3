import type { FastifyError, FastifyPluginAsync } from 'fastify'
import { isOver, type Job } from '../../jobs/job.ts'
import { problemOf } from '../problem.ts'
import type { Services } from '../services.ts'
import { HarborWebhook, pushesOfHarbor } from './payloads.ts'
import type { Trigger } from './trigger.ts'

/** What acceld itself waits at most. */
const SYNC_MS = 3_600_000
/** Left to the answer beyond that. */
const ANSWER_MS = 60_000
const LISTED = 100

/**
 * The API of acceld (Harbor acceleration-service 0.2), so that a Harbor that calls it can call the broker instead. Rules take
 * the place of its configuration.
 */
export function acceldRoutes({ jobs }: Services, trigger: Trigger): FastifyPluginAsync {
  // Who asks for it waits as long as acceld itself would let them.
  const config = { hookSender: 'harbor', hasOwnDeadline: true, silentMs: SYNC_MS + ANSWER_MS } as const
  return async (app) => {
    // These routes are described by acceld, and answer as it does, errors included.
    app.setErrorHandler((error: FastifyError, request, reply) => {
      const { status, detail } = problemOf(error)
      if (status >= 500) request.log.error({ err: error }, 'acceld route failed')
      const code =
        status < 500 ? 'ERR_ILLEGAL_PARAMETER' : status === 503 ? 'ERR_UNHEALTHY' : 'ERR_CONVERT_FAILED'
      return reply.code(status).send({ code, message: detail ?? '' })
    })
    app.post('/api/v1/conversions', { schema: { hide: true }, config }, async (request, reply) => {
      const webhook = HarborWebhook.safeParse(request.body)
      const sync = (request.query as { sync?: string }).sync === 'true'
      if (!webhook.success) {
        const message = 'expected {"type", "event_data": {"resources": [{"resource_url"}]}}'
        return reply.code(400).send({ code: 'ERR_ILLEGAL_PARAMETER', message })
      }
      const { log, abandoned } = request
      const outcomes = await trigger.pushed(pushesOfHarbor(webhook.data), { log, signal: abandoned })
      if (!sync) return reply.type('application/json').send('"Ok"')
      const until = performance.now() + SYNC_MS
      const signal = AbortSignal.any([abandoned, app.closing])
      for (const { id } of outcomes.flatMap(({ conversions }) => conversions)) {
        const job = await jobs.look('conversion', id)
        const over = job && (await jobs.untilOver(job, until - performance.now(), signal))
        if (over?.state === 'succeeded') continue
        const message = over?.error?.message ?? 'the conversion is not over'
        return reply.code(500).send({ code: 'ERR_CONVERT_FAILED', message })
      }
      return reply.type('application/json').send('"Ok"')
    })
    app.get('/api/v1/conversions', { schema: { hide: true }, config }, async () => {
      const { items } = await jobs.list('conversion', {}, { limit: LISTED })
      return items.map(acceldTask)
    })
    app.get('/api/v1/health', { schema: { hide: true }, config }, async (_request, reply) => {
      await jobs.counts('verification')
      return reply.type('text/plain').send('Ok')
    })
  }
}

function acceldTask(job: Job) {
  const time = (moment: number | undefined) =>
    moment === undefined ? undefined : new Date(moment).toISOString()
  return {
    id: job.id,
    created: time(job.createdAt),
    finished: time(job.finishedAt) ?? null,
    source: job.source,
    source_size: job.result?.sourceSize ?? 0,
    target_size: job.result?.size ?? 0,
    status: !isOver(job.state) ? 'PROCESSING' : job.state === 'succeeded' ? 'COMPLETED' : 'FAILED',
    reason: job.error?.message ?? (job.state === 'cancelled' ? 'cancelled' : ''),
  }
}
