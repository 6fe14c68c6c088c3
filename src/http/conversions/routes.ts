import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Job } from '../../jobs/job.ts'
import { ReferenceText } from '../../oci/reference.ts'
import { jobFilter, jobQuery } from '../jobs/listing.ts'
import { acceptedJob } from '../jobs/new-job.ts'
import { waitAsPreferred } from '../jobs/prefer.ts'
import { type JobResource, jobNotFound } from '../jobs/resource.ts'
import { canonicalImage, Id } from '../parameters.ts'
import { problems } from '../problem.ts'
import type { Services } from '../services.ts'
import { assertAcceptable, conversionJob, NewConversion } from './new-conversion.ts'
import { Conversion, ConversionSummary, conversionSummary, conversionView } from './view.ts'

const ConversionPage = z
  .object({ items: z.array(ConversionSummary), next: z.string().optional() })
  .meta({ id: 'ConversionPage', description: 'Conversions, newest first.' })

/** Asking for conversions, and finding them. */
export function conversionRoutes(services: Services): FastifyPluginAsyncZod {
  const { jobs } = services
  const resource = conversionResource(services)
  const { shown } = resource
  return async (app) => {
    app.post(
      '/v1/conversions',
      {
        schema: {
          tags: ['conversions'],
          operationId: 'createConversion',
          summary: 'Convert an image to eStargz',
          description:
            'Accepts the work and answers at once, or after `Prefer: wait=SECONDS`; a worker does it. The target tag moves when the image is complete. While a conversion that would do the same is queued or running, it is the answer.',
          body: NewConversion,
          response: {
            200: Conversion.describe('It is over already, or was there before.'),
            202: Conversion.describe('It is accepted.'),
            ...problems(400, 403, 409, 413, 422, 503, 507),
          },
        },
      },
      async (request, reply) => {
        await assertAcceptable([{ body: request.body, at: 'body' }], services, request.abandoned)
        const accepted = await jobs.create(conversionJob(request.body, request.idempotencyKey))
        const job = await waitAsPreferred(jobs, await acceptedJob(jobs, accepted), request, reply)
        const going = accepted.outcome === 'created' && job.finishedAt === undefined
        reply.header('location', `/v1/conversions/${job.id}`)
        return reply.code(going ? 202 : 200).send(await shown(job))
      },
    )
    app.get(
      '/v1/conversions',
      {
        schema: {
          tags: ['conversions'],
          operationId: 'listConversions',
          summary: 'List conversions, newest first',
          querystring: z.object({
            source: ReferenceText.optional(),
            target: ReferenceText.optional(),
            ...jobQuery,
          }),
          response: { 200: ConversionPage, ...problems(400, 503) },
        },
      },
      async (request) => {
        const { source, target, limit, cursor } = request.query
        const filter = {
          ...jobFilter(request.query),
          ...(source !== undefined && { source: canonicalImage(source) }),
          ...(target !== undefined && { target: canonicalImage(target) }),
        }
        const page = await jobs.list('conversion', filter, { limit, ...(cursor && { after: cursor }) })
        return { ...page, items: page.items.map(conversionSummary) }
      },
    )
    app.get(
      '/v1/conversions/:id',
      {
        schema: {
          tags: ['conversions'],
          operationId: 'getConversion',
          summary: 'Show a conversion: its state, its progress, its attempts, at the end its report',
          description:
            'With `Prefer: wait=SECONDS` it answers when the conversion is over, or after that time.',
          params: Id,
          response: { 200: Conversion, ...problems(400, 404, 503) },
        },
      },
      async (request, reply) => {
        const job = await jobs.get('conversion', request.params.id)
        if (!job) throw jobNotFound(resource, request.params.id)
        return shown(await waitAsPreferred(jobs, job, request, reply))
      },
    )
  }
}

/** Conversions as jobs, for the routes that go for all kinds. */
export function conversionResource({ jobs, tagMoves }: Services) {
  return {
    kind: 'conversion',
    path: '/v1/conversions',
    tag: 'conversions',
    name: 'Conversion',
    view: Conversion,
    shown: async (job: Job) => {
      // One that never began has neither.
      if (job.attempt === 0) return conversionView(job, [], [])
      const [attempts, tags] = await Promise.all([jobs.attempts(job.id), tagMoves.ofJob(job.id)])
      return conversionView(job, attempts, tags)
    },
  } satisfies JobResource
}
