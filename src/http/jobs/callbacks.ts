import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { shownAddress } from '../../jobs/events/callbacks.ts'
import { Id, isoTime, Moment } from '../parameters.ts'
import { problems } from '../problem.ts'
import type { Services } from '../services.ts'
import { type JobResource, jobNotFound } from './resource.ts'

const CallbackView = z
  .object({
    id: z.string(),
    url: z.string().describe('Without its query, which may hold a secret.'),
    state: z.enum(['waiting', 'due', 'delivered', 'failed']).describe('waiting: for the end of the job.'),
    deliveries: z.array(
      z.object({
        attempt: z.int(),
        at: Moment,
        status: z.int().optional().describe('Of the answer, where there was one.'),
        error: z.string().optional(),
      }),
    ),
  })
  .meta({
    id: 'Callback',
    description: 'Who is told of the end of a job, and every try to do so.',
    examples: [
      {
        id: '019ab1c2-7a30-7000-8000-4b1c2d3e4f50',
        url: 'https://ci.example/hooks/record-broker',
        state: 'delivered',
        deliveries: [{ attempt: 1, at: '2026-01-02T03:04:05.678Z', status: 204 }],
      },
    ],
  })

/** The log of the callbacks of a job, of whichever kind. */
export function callbackRoutes({ jobs, callbacks }: Services, resource: JobResource): FastifyPluginAsyncZod {
  const { kind, path, tag, name } = resource
  return async (app) => {
    app.get(
      `${path}/:id/callbacks`,
      {
        schema: {
          tags: [tag],
          operationId: `list${name}Callbacks`,
          summary: `Show who is told of the end of a ${kind}, and every try to do so`,
          params: Id,
          response: { 200: z.object({ items: z.array(CallbackView) }), ...problems(400, 404, 503) },
        },
      },
      async (request) => {
        const { id } = request.params
        if (!(await jobs.look(kind, id))) throw jobNotFound(resource, id)
        const items = await callbacks.ofJob(id)
        return {
          items: items.map(({ deliveries, url, ...callback }) => ({
            ...callback,
            url: shownAddress(url),
            deliveries: deliveries.map(({ attempt, at, status, error }) => ({
              attempt,
              at: isoTime(at),
              ...(status !== undefined && { status }),
              ...(error !== undefined && { error }),
            })),
          })),
        }
      },
    )
  }
}
