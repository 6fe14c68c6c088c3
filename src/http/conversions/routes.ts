import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ProjectScope } from '../../db/project-scope.ts'
import type { Job } from '../../jobs/job.ts'
import { listedScope, ProjectQuery } from '../access/listed-project.ts'
import { requires } from '../access/security.ts'
import { formatCursor, jobFilter, jobQuery, parseCursor } from '../jobs/job-filter.ts'
import { type JobResource, jobNotFound, loadViewWithWait } from '../jobs/job-resource.ts'
import type { JobValidator } from '../jobs/job-validator.ts'
import { loadAcceptedJob, originOf } from '../jobs/new-job.ts'
import { waitAsPreferred } from '../jobs/prefer-wait.ts'
import { IdParams } from '../parameters.ts'
import { problemResponses } from '../problem.ts'
import type { Services } from '../services.ts'
import { conversionFilter, conversionQuery } from './filter.ts'
import { assertConvertible, conversionJob, NewConversion } from './new-conversion.ts'
import { Conversion, ConversionSummary, conversionSummary, conversionView } from './view.ts'

const ConversionPage = z
  .object({ items: z.array(ConversionSummary), next: z.string().optional() })
  .meta({ id: 'ConversionPage', description: 'A page of conversions, newest first.' })

/** Creates, lists and shows conversions. */
export function conversionRoutes(
  { jobs, waits }: Pick<Services, 'jobs' | 'waits'>,
  resource: ReturnType<typeof conversionResource>,
  validator: JobValidator,
): FastifyPluginAsyncZod {
  const { loadView } = resource
  return async (app) => {
    app.post(
      '/v1/conversions',
      {
        schema: {
          tags: ['conversions'],
          operationId: 'createConversion',
          security: requires('conversions:write'),
          summary: 'Convert an image to eStargz',
          description:
            'Creates a job, which a worker runs, and responds at once, or after the time in `Prefer: wait=SECONDS`. The target tag moves when the image is complete. If an equivalent conversion is queued or running, the response shows that one instead.',
          body: NewConversion,
          response: {
            200: Conversion.describe('The conversion has finished or existed before.'),
            202: Conversion.describe('The conversion was accepted.'),
            ...problemResponses(400, 403, 409, 413, 422, 429, 503, 507),
          },
        },
      },
      async (request, reply) => {
        const { body } = request
        await assertConvertible([{ body, fieldPath: 'body' }], validator, request)
        const own = jobs.in(request.caller.projectScope)
        const accepted = await own.create(conversionJob(body, originOf(request)))
        const job = await waitAsPreferred(own, await loadAcceptedJob(own, accepted), request, reply)
        const isPending = accepted.outcome === 'created' && job.finishedAt === undefined
        reply.header('location', `/v1/conversions/${job.id}`)
        return reply.code(isPending ? 202 : 200).send(await loadView(job))
      },
    )
    app.get(
      '/v1/conversions',
      {
        schema: {
          tags: ['conversions'],
          operationId: 'listConversions',
          security: requires('conversions:read'),
          summary: 'List conversions, newest first',
          description:
            'With `finishedFrom` or `finishedBefore`, the list contains finished conversions only, and those that finished last come first.',
          querystring: z.object({
            ...conversionQuery,
            ...jobQuery,
            ...ProjectQuery,
          }),
          response: { 200: ConversionPage, ...problemResponses(400, 503) },
        },
      },
      async (request) => {
        const { limit, cursor, project } = request.query
        const filter = { ...jobFilter(request.query), ...conversionFilter(request.query) }
        const after = parseCursor(cursor, filter, 'querystring.cursor')
        const visible = jobs.in(listedScope(request.caller, project))
        const { items, next } = await visible.list('conversion', filter, { limit, ...after })
        return { items: items.map(conversionSummary), ...(next && { next: formatCursor(next) }) }
      },
    )
    app.get(
      '/v1/conversions/:id',
      {
        schema: {
          tags: ['conversions'],
          operationId: 'getConversion',
          security: requires('conversions:read'),
          summary: 'Show a conversion with its progress, attempts and report',
          description:
            'With `Prefer: wait=SECONDS`, responds when the conversion has finished, or after that time.',
          params: IdParams,
          response: { 200: Conversion, ...problemResponses(400, 404, 503) },
        },
      },
      async (request, reply) => {
        const visible = jobs.in(request.caller.projectScope)
        const job = await visible.get('conversion', request.params.id)
        if (!job) throw jobNotFound(resource, request.params.id)
        return loadViewWithWait(resource, waits, await waitAsPreferred(visible, job, request, reply))
      },
    )
  }
}

/** Describes conversions for the routes that all kinds of jobs share. */
export function conversionResource({ jobs, tagMoves }: Pick<Services, 'jobs' | 'tagMoves'>) {
  return {
    kind: 'conversion',
    path: '/v1/conversions',
    tag: 'conversions',
    name: 'Conversion',
    schema: Conversion,
    loadView: async (job: Job) => {
      // A conversion that never started has neither attempts nor tags.
      if (job.attempt === 0) return conversionView(job, [], [])
      const [attempts, tags] = await Promise.all([
        jobs.in(ProjectScope.of(job.project)).listAttempts(job),
        tagMoves.listForJob(job),
      ])
      return conversionView(job, attempts, tags)
    },
  } satisfies JobResource
}
