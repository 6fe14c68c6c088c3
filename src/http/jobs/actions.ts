import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { isFinished } from '../../jobs/job.ts'
import { listedScope, ProjectQuery } from '../access/listed-project.ts'
import { requires } from '../access/security.ts'
import { IdParams } from '../parameters.ts'
import { HttpError, problemResponses } from '../problem.ts'
import type { Services } from '../services.ts'
import { type JobResource, jobNotFound } from './job-resource.ts'
import { waitAsPreferred } from './prefer-wait.ts'
import { assertJobAllowed } from './retry-access.ts'
import { JobCounts } from './view.ts'

/** Cancels, retries and counts jobs of one kind. */
export function jobActionRoutes(
  services: Pick<Services, 'jobs' | 'names' | 'projects'>,
  resource: JobResource,
): FastifyPluginAsyncZod {
  const { jobs } = services
  const { kind, path, tag, name, schema, loadView } = resource
  return async (app) => {
    app.post(
      `${path}/:id/cancel`,
      {
        schema: {
          tags: [tag],
          operationId: `cancel${name}`,
          security: requires('conversions:write'),
          summary: `Cancel a ${kind}`,
          description: `Cancels a queued ${kind} at once. A running one stops within one or two seconds, without moving a tag; \`Prefer: wait=SECONDS\` waits until it has stopped. Cancelling again has no effect.`,
          params: IdParams,
          response: {
            200: schema.describe(`The ${kind} is cancelled.`),
            202: schema.describe(`The ${kind} stops soon.`),
            ...problemResponses(400, 404, 409, 503, 507),
          },
        },
      },
      async (request, reply) => {
        const { id } = request.params
        const visible = jobs.in(request.caller.projectScope)
        const cancelled = await visible.cancel(kind, id)
        if (!cancelled) throw jobNotFound(resource, id)
        request.concernedProject = cancelled.project
        const job = await waitAsPreferred(visible, cancelled, request, reply)
        if (isFinished(job.state) && job.state !== 'cancelled') {
          throw new HttpError(409, 'ALREADY_FINISHED', `${kind} ${id} has already ${job.state}`)
        }
        return reply.code(job.state === 'cancelled' ? 200 : 202).send(await loadView(job))
      },
    )
    app.post(
      `${path}/:id/retry`,
      {
        schema: {
          tags: [tag],
          operationId: `retry${name}`,
          security: requires('conversions:write'),
          summary: `Retry a failed or cancelled ${kind}`,
          description: `Returns the ${kind} to the queue under the same id. Its earlier attempts remain visible.`,
          params: IdParams,
          response: { 202: schema, ...problemResponses(400, 403, 404, 409, 429, 503, 507) },
        },
      },
      async (request, reply) => {
        const { id } = request.params
        const visible = jobs.in(request.caller.projectScope)
        const existing = await visible.getStatus(kind, id)
        if (!existing) throw jobNotFound(resource, id)
        request.concernedProject = existing.project
        await assertJobAllowed(existing, { caller: request.caller, services })
        const { outcome, job } = await visible.retry(kind, id)
        if (!job) throw jobNotFound(resource, id)
        if (outcome === 'conflict') {
          throw new HttpError(
            409,
            'EQUIVALENT_IN_PROGRESS',
            `${kind} ${job.id} is equivalent and is ${job.state}`,
          )
        }
        if (outcome !== 'queued') {
          const detail = `${kind} ${id} is ${job.state}; only failed and cancelled ones can be retried`
          throw new HttpError(409, 'NOT_RETRYABLE', detail)
        }
        reply.header('location', `${path}/${id}`)
        return reply.code(202).send(await loadView(await waitAsPreferred(visible, job, request, reply)))
      },
    )
    app.get(
      `${path}/counts`,
      {
        schema: {
          tags: [tag],
          operationId: `count${name}s`,
          security: requires('conversions:read'),
          summary: `Count ${kind}s by state`,
          description: `Counts all ${kind}s that the caller sees, without reading them.`,
          querystring: z.object(ProjectQuery),
          response: { 200: JobCounts, ...problemResponses(400, 503) },
        },
      },
      (request) => jobs.in(listedScope(request.caller, request.query.project)).countByState(kind),
    )
  }
}
