import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { JobFilter } from '../../jobs/lists/job-filter.ts'
import type { BulkResult } from '../../jobs/queue/bulk-jobs.ts'
import { listedScope, ProjectQuery } from '../access/listed-project.ts'
import { requires } from '../access/security.ts'
import { fieldError, problemResponses } from '../problem.ts'
import type { Services } from '../services.ts'
import { bulkFilter, formatCursor, jobFilter, parseCursor } from './job-filter.ts'
import type { JobResource } from './job-resource.ts'
import { retryRefusal } from './retry-access.ts'

const MAX_JOBS = 1_000

/** The fields of the body that are no filters. */
const control = {
  limit: z
    .int()
    .min(1)
    .max(MAX_JOBS)
    .optional()
    .describe(`The maximum number of jobs, up to ${MAX_JOBS}. Default: ${MAX_JOBS}.`),
  dryRun: z.boolean().optional().describe('Only lists the jobs that match. Default: false.'),
}

const BulkResultView = z
  .object({
    jobCount: z.int().describe('The number of `ids`.'),
    ids: z.array(z.string()).describe('The jobs that changed, or that match in a dry run.'),
    conflicts: z
      .array(z.object({ id: z.string(), equivalentId: z.string() }))
      .optional()
      .describe('Jobs that were not retried, because an equivalent one is queued or running.'),
    refused: z
      .array(z.object({ id: z.string(), code: z.string(), message: z.string() }))
      .optional()
      .describe('Jobs that were not retried, because the caller or their project may not use their images.'),
    next: z
      .string()
      .optional()
      .describe('Further jobs may match: send the request again with this value as `cursor`.'),
  })
  .meta({
    id: 'BulkResult',
    description: 'The jobs that a request cancelled or retried.',
    examples: [{ jobCount: 1, ids: ['019ab1c2-7a30-7000-8000-4b1c2d3e4f50'] }],
  })

/** Fields that select jobs of one kind, and how they select. */
type KindFilter<Shape extends z.ZodRawShape> = {
  readonly shape: Shape
  readonly parse: (body: z.infer<z.ZodObject<Shape>>) => JobFilter
}
type Body = Parameters<typeof jobFilter>[0] & {
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
  readonly dryRun?: boolean | undefined
  readonly project?: string | undefined
}

/** Cancels and retries the jobs of one kind that a filter selects. */
export function registerBulkActions<Shape extends z.ZodRawShape>(
  app: FastifyInstance,
  services: Pick<Services, 'jobs' | 'names' | 'projects'>,
  { kind, path, tag, name }: JobResource,
  { shape, parse }: KindFilter<Shape>,
): void {
  const { jobs } = services
  const actions = [
    {
      verb: 'cancel',
      filter: bulkFilter(['queued', 'running']),
      description: `Cancels queued ${kind}s at once, and running ones within one or two seconds. Those that have finished do not match.`,
    },
    {
      verb: 'retry',
      filter: bulkFilter(['failed', 'cancelled']),
      description: `Returns failed and cancelled ${kind}s to the queue, the oldest of them first. If the queue has fewer free places, it retries as many as it has places for. Those whose images the caller may not use are left alone, and listed in \`refused\`.`,
    },
  ] as const
  for (const { verb, filter, description } of actions) {
    const fields = z.strictObject({ ...shape, ...filter, ...ProjectQuery, ...control }).meta({
      id: `${name}${verb === 'cancel' ? 'Cancellation' : 'Retry'}Filter`,
      description: `The ${kind}s to ${verb}. At least one filter is required, and all of them have to match.`,
      examples: [{ labels: { pipeline: '4711' } }],
    })
    app.withTypeProvider<ZodTypeProvider>().post(
      `${path}/${verb}`,
      {
        schema: {
          tags: [tag],
          operationId: `${verb}${name}s`,
          security: requires('conversions:write'),
          summary: `${verb === 'cancel' ? 'Cancel' : 'Retry'} the ${kind}s that match a filter`,
          description: `${description} One request changes at most ${MAX_JOBS}; the response contains \`next\` if further ones may match. Sending a request again does no harm.`,
          body: fields,
          response: {
            200: BulkResultView,
            ...problemResponses(400, ...(verb === 'retry' ? [429 as const] : []), 503, 507),
          },
        },
      },
      async (request: FastifyRequest) => {
        const body = request.body as Body & z.infer<z.ZodObject<Shape>>
        const selected = { ...jobFilter(body), ...parse(body) }
        if (Object.keys(selected).length === 0 && body.project === undefined) {
          throw fieldError(
            400,
            'INVALID_REQUEST',
            'body',
            `name at least one filter, such as state or labels`,
          )
        }
        const page = { limit: body.limit ?? MAX_JOBS, ...parseCursor(body.cursor, selected, 'body.cursor') }
        const options = { page, isDryRun: body.dryRun ?? false }
        const visible = jobs.in(listedScope(request.caller, body.project))
        const result =
          verb === 'cancel'
            ? await visible.cancelMatching(kind, selected, options, request.abortSignal)
            : await visible.retryMatching(kind, selected, {
                ...options,
                refuse: (job) => retryRefusal(job, { caller: request.caller, services }),
              })
        return bulkResultView(result)
      },
    )
  }
}

function bulkResultView({ ids, conflicts, refused, next }: BulkResult): z.infer<typeof BulkResultView> {
  return {
    jobCount: ids.length,
    ids: [...ids],
    ...(conflicts.length > 0 && {
      conflicts: conflicts.map(({ id, other }) => ({ id, equivalentId: other.id })),
    }),
    ...(refused.length > 0 && { refused: [...refused] }),
    ...(next && { next: formatCursor(next) }),
  }
}
