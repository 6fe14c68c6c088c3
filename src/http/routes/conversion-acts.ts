import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { isOver } from '../../jobs/job.ts'
import { Conversion } from '../conversion-view.ts'
import { Id } from '../parameters.ts'
import { waitAsPreferred } from '../prefer.ts'
import { HttpError, problems } from '../problem.ts'
import type { Services } from '../services.ts'
import { noConversion, shown } from './conversions.ts'

/** What can be done to a conversion that was accepted. */
export function conversionActRoutes(services: Services): FastifyPluginAsyncZod {
  const { jobs } = services
  return async (app) => {
    app.post(
      '/v1/conversions/:id/cancel',
      {
        schema: {
          tags: ['conversions'],
          operationId: 'cancelConversion',
          summary: 'Cancel a conversion',
          description:
            'One that waits is cancelled at once; one that runs stops within a second or two, without moving its tag. `Prefer: wait=SECONDS` waits for that. To cancel it again does no harm.',
          params: Id,
          response: {
            200: Conversion.describe('It is cancelled.'),
            202: Conversion.describe('It stops soon.'),
            ...problems(400, 404, 409, 503),
          },
        },
      },
      async (request, reply) => {
        const { id } = request.params
        const cancelled = await jobs.cancel('conversion', id)
        if (!cancelled) throw noConversion(id)
        const job = await waitAsPreferred(jobs, cancelled, request, reply)
        if (isOver(job.state) && job.state !== 'cancelled') {
          throw new HttpError(409, 'OVER', `conversion ${id} is over: it ${job.state}`)
        }
        return reply.code(job.state === 'cancelled' ? 200 : 202).send(await shown(services, job))
      },
    )
    app.post(
      '/v1/conversions/:id/retry',
      {
        schema: {
          tags: ['conversions'],
          operationId: 'retryConversion',
          summary: 'Try a conversion again that failed or was cancelled',
          description: 'It goes back into the queue under the same id, with its attempts on record.',
          params: Id,
          response: { 202: Conversion, ...problems(400, 404, 409, 503) },
        },
      },
      async (request, reply) => {
        const { id } = request.params
        const { outcome, job } = await jobs.retry('conversion', id)
        if (!job) throw noConversion(id)
        if (outcome === 'conflict') {
          throw new HttpError(409, 'SAME_UNDER_WAY', `conversion ${job.id} does the same and is ${job.state}`)
        }
        if (outcome !== 'queued') {
          throw new HttpError(
            409,
            'NOT_FAILED',
            `conversion ${id} is ${job.state}: there is nothing to try again`,
          )
        }
        reply.header('location', `/v1/conversions/${id}`)
        const now = await waitAsPreferred(jobs, job, request, reply)
        return reply.code(202).send(await shown(services, now))
      },
    )
  }
}
