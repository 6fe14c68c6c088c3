import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { isOver } from '../../jobs/job.ts'
import { Id } from '../parameters.ts'
import { HttpError, problems } from '../problem.ts'
import type { Services } from '../services.ts'
import { waitAsPreferred } from './prefer.ts'
import { type JobResource, jobNotFound } from './resource.ts'
import { JobCounts } from './view.ts'

/** What can be done to a job that was accepted, of whichever kind. */
export function jobActionRoutes({ jobs }: Services, resource: JobResource): FastifyPluginAsyncZod {
  const { kind, path, tag, name, view, shown } = resource
  return async (app) => {
    app.post(
      `${path}/:id/cancel`,
      {
        schema: {
          tags: [tag],
          operationId: `cancel${name}`,
          summary: `Cancel a ${kind}`,
          description:
            'One that waits is cancelled at once; one that runs stops within a second or two, without moving a tag. `Prefer: wait=SECONDS` waits for that. To cancel it again does no harm.',
          params: Id,
          response: {
            200: view.describe('It is cancelled.'),
            202: view.describe('It stops soon.'),
            ...problems(400, 404, 409, 503, 507),
          },
        },
      },
      async (request, reply) => {
        const { id } = request.params
        const cancelled = await jobs.cancel(kind, id)
        if (!cancelled) throw jobNotFound(resource, id)
        const job = await waitAsPreferred(jobs, cancelled, request, reply)
        if (isOver(job.state) && job.state !== 'cancelled') {
          throw new HttpError(409, 'OVER', `${kind} ${id} is over: it ${job.state}`)
        }
        return reply.code(job.state === 'cancelled' ? 200 : 202).send(await shown(job))
      },
    )
    app.post(
      `${path}/:id/retry`,
      {
        schema: {
          tags: [tag],
          operationId: `retry${name}`,
          summary: `Try a ${kind} again that failed or was cancelled`,
          description: 'It goes back into the queue under the same id, with its attempts on record.',
          params: Id,
          response: { 202: view, ...problems(400, 404, 409, 503, 507) },
        },
      },
      async (request, reply) => {
        const { id } = request.params
        const { outcome, job } = await jobs.retry(kind, id)
        if (!job) throw jobNotFound(resource, id)
        if (outcome === 'conflict') {
          throw new HttpError(409, 'SAME_UNDER_WAY', `${kind} ${job.id} does the same and is ${job.state}`)
        }
        if (outcome !== 'queued') {
          const why = `${kind} ${id} is ${job.state}: there is nothing to try again`
          throw new HttpError(409, 'NOT_FAILED', why)
        }
        reply.header('location', `${path}/${id}`)
        return reply.code(202).send(await shown(await waitAsPreferred(jobs, job, request, reply)))
      },
    )
    app.get(
      `${path}/counts`,
      {
        schema: {
          tags: [tag],
          operationId: `count${name}s`,
          summary: `How many ${kind}s are in each state`,
          response: { 200: JobCounts, ...problems(503) },
        },
      },
      () => jobs.counts(kind),
    )
  }
}
