import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { type Callback, redactUrl } from '../../jobs/events/callback-store.ts'
import { requires } from '../access/security.ts'
import { IdParams, isoTime, Timestamp } from '../parameters.ts'
import { problemResponses } from '../problem.ts'
import type { Services } from '../services.ts'
import { type JobResource, jobNotFound } from './job-resource.ts'

const CallbackView = z
  .object({
    id: z.string(),
    url: z.string().describe('The URL without its query, which may contain a secret.'),
    state: z
      .enum(['waiting', 'due', 'delivered', 'failed'])
      .describe('`waiting`: the job has not finished. `due`: the next delivery is pending.'),
    deliveries: z.array(
      z.object({
        attempt: z.int(),
        finishedAt: Timestamp,
        status: z.int().optional().describe('The HTTP status of the response, if there was one.'),
        error: z.string().optional(),
      }),
    ),
  })
  .meta({
    id: 'JobCallback',
    description: 'A callback that reports the end of a job, with all delivery attempts.',
    examples: [
      {
        id: '019ab1c2-7a30-7000-8000-4b1c2d3e4f50',
        url: 'https://ci.example/hooks/record-broker',
        state: 'delivered',
        deliveries: [{ attempt: 1, finishedAt: '2026-01-02T03:04:05.678Z', status: 204 }],
      },
    ],
  })

/** Lists the callbacks of a job of one kind. */
export function callbackRoutes(
  { jobs, callbacks }: Pick<Services, 'jobs' | 'callbacks'>,
  resource: JobResource,
): FastifyPluginAsyncZod {
  const { kind, path, tag, name } = resource
  return async (app) => {
    app.get(
      `${path}/:id/callbacks`,
      {
        schema: {
          tags: [tag],
          operationId: `list${name}Callbacks`,
          security: requires('conversions:read'),
          summary: `List the callbacks of a ${kind} and their delivery attempts`,
          description: `Shows whether the end of the ${kind} was reported to its \`callbackUrl\`, and each attempt to do so.`,
          params: IdParams,
          response: { 200: z.object({ items: z.array(CallbackView) }), ...problemResponses(400, 404, 503) },
        },
      },
      async (request) => {
        const { id } = request.params
        const job = await jobs.in(request.caller.projectScope).getStatus(kind, id)
        if (!job) throw jobNotFound(resource, id)
        return { items: (await callbacks.listForJob(job)).map(callbackView) }
      },
    )
  }
}

function callbackView({ id, url, state, deliveries }: Callback): z.infer<typeof CallbackView> {
  return {
    id,
    url: redactUrl(url),
    state,
    deliveries: deliveries.map(({ attempt, finishedAt, status, error }) => ({
      attempt,
      finishedAt: isoTime(finishedAt),
      ...(status !== undefined && { status }),
      ...(error !== undefined && { error }),
    })),
  }
}
