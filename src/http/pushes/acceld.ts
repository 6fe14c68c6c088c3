import type { FastifyError, FastifyPluginAsync } from 'fastify'
import type { Scope } from '../../access/scope.ts'
import { DEFAULT_PROJECT, ProjectScope } from '../../db/project-scope.ts'
import { isFinished, type Job } from '../../jobs/job.ts'
import { requires } from '../access/security.ts'
import { isoTime } from '../parameters.ts'
import { problemOf } from '../problem.ts'
import type { Services } from '../services.ts'
import { changesFromHarbor } from './changes.ts'
import { HarborWebhook, pushesFromHarbor } from './payloads.ts'
import type { RuleEngine } from './rule-engine.ts'

/** The timeout of acceld for synchronous conversions. */
const SYNC_TIMEOUT_MS = 3_600_000
/** Additional time to send the response. */
const RESPONSE_MARGIN_MS = 60_000
const MAX_LISTED = 100

/**
 * The API of acceld (Harbor acceleration-service 0.2): a Harbor that is configured for acceld can call the
 * broker instead. Rules replace acceld's configuration.
 */
export function acceldRoutes(
  { jobs, addCatalogueChanges }: Pick<Services, 'jobs' | 'addCatalogueChanges'>,
  ruleEngine: RuleEngine,
): FastifyPluginAsync {
  // Synchronous callers wait as long as with acceld.
  const config = {
    hookSender: 'harbor',
    hasOwnDeadline: true,
    maxSilenceMs: SYNC_TIMEOUT_MS + RESPONSE_MARGIN_MS,
  } as const
  const schema = (scope: Scope) => ({ hide: true, security: requires(scope) })
  return async (app) => {
    // The API of acceld has its own error format. It is not part of the OpenAPI document.
    app.setErrorHandler((error: FastifyError, request, reply) => {
      const { status, detail } = problemOf(error)
      if (status >= 500) request.log.error({ err: error }, 'acceld route failed')
      const code =
        status < 500 ? 'ERR_ILLEGAL_PARAMETER' : status === 503 ? 'ERR_UNHEALTHY' : 'ERR_CONVERT_FAILED'
      return reply.code(status).send({ code, message: detail ?? '' })
    })
    app.post(
      '/api/v1/conversions',
      { schema: schema('conversions:write'), config },
      async (request, reply) => {
        const webhook = HarborWebhook.safeParse(request.body)
        const isSync = (request.query as { sync?: string }).sync === 'true'
        if (!webhook.success) {
          const message = 'expected {"type", "event_data": {"resources": [{"resource_url"}]}}'
          return reply.code(400).send({ code: 'ERR_ILLEGAL_PARAMETER', message })
        }
        const { log, abortSignal, caller } = request
        const outcomes = await ruleEngine.handlePushes(pushesFromHarbor(webhook.data), {
          log,
          requestId: request.id,
          signal: abortSignal,
          caller,
        })
        await addCatalogueChanges(changesFromHarbor(webhook.data))
        if (isSync) {
          const ids = outcomes.flatMap(({ conversions }) => conversions.map(({ id }) => id))
          const visible = jobs.in(caller.projectScope)
          const failure = await waitForAll(visible, ids, AbortSignal.any([abortSignal, app.shutdownSignal]))
          if (failure !== undefined) {
            return reply.code(500).send({ code: 'ERR_CONVERT_FAILED', message: failure })
          }
        }
        return reply.type('application/json').send('"Ok"')
      },
    )
    app.get('/api/v1/conversions', { schema: schema('conversions:read'), config }, async ({ caller }) => {
      // A registry knows nothing of projects: it sees the jobs of before there were any, and of callers without one.
      const visible = caller.identity.kind === 'hook' ? ProjectScope.of(DEFAULT_PROJECT) : caller.projectScope
      const { items } = await jobs.in(visible).list('conversion', {}, { limit: MAX_LISTED })
      return items.map(acceldTask)
    })
    app.get('/api/v1/health', { schema: schema('conversions:read'), config }, async ({ caller }, reply) => {
      // Fails if the database does not respond.
      await jobs.in(caller.projectScope).countByState('verification')
      return reply.type('text/plain').send('Ok')
    })
  }
}

/** Waits until the conversions have succeeded. Returns why one has not. */
async function waitForAll(
  jobs: ReturnType<Services['jobs']['in']>,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const deadline = performance.now() + SYNC_TIMEOUT_MS
  for (const id of ids) {
    const job = await jobs.getStatus('conversion', id)
    const finished = job && (await jobs.waitUntilFinished(job, deadline - performance.now(), signal))
    if (finished?.state !== 'succeeded') return finished?.error?.message ?? 'the conversion has not finished'
  }
  return undefined
}

function acceldTask(job: Job) {
  return {
    id: job.id,
    created: isoTime(job.createdAt),
    finished: job.finishedAt === undefined ? null : isoTime(job.finishedAt),
    source: job.source,
    source_size: job.result?.sourceSize ?? 0,
    target_size: job.result?.size ?? 0,
    status: !isFinished(job.state) ? 'PROCESSING' : job.state === 'succeeded' ? 'COMPLETED' : 'FAILED',
    reason: job.error?.message ?? (job.state === 'cancelled' ? 'cancelled' : ''),
  }
}
