import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Job } from '../../jobs/job.ts'
import { ReferenceText } from '../../oci/reference.ts'
import { Conversion, ConversionSummary, conversionSummary, conversionView } from '../conversion-view.ts'
import { JobCounts, JobStateView } from '../job-view.ts'
import { conversionJob, NewConversion, refuseUnfit } from '../new-conversion.ts'
import { canonicalImage, Id, LabelList, labelsOf, Paging } from '../parameters.ts'
import { waitAsPreferred } from '../prefer.ts'
import { HttpError, problems } from '../problem.ts'
import type { Services } from '../services.ts'

const ConversionPage = z
  .object({ items: z.array(ConversionSummary), next: z.string().optional() })
  .meta({ id: 'ConversionPage', description: 'Conversions, newest first.' })

/** Asking for conversions, and finding them. */
export function conversionRoutes(services: Services): FastifyPluginAsyncZod {
  const { jobs } = services
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
            ...problems(400, 403, 409, 413, 422, 503),
          },
        },
      },
      async (request, reply) => {
        await refuseUnfit(request.body, services, reply)
        const accepted = await jobs.create(conversionJob(request.body, request.idempotencyKey))
        const job = await waitAsPreferred(jobs, accepted.job, request, reply)
        const going = accepted.outcome === 'created' && job.finishedAt === undefined
        reply.header('location', `/v1/conversions/${job.id}`)
        return reply.code(going ? 202 : 200).send(await shown(services, job))
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
            state: z
              .union([JobStateView, z.array(JobStateView).max(5)])
              .optional()
              .describe('Can be given more than once.'),
            source: ReferenceText.optional(),
            target: ReferenceText.optional(),
            label: LabelList.optional(),
            createdFrom: z.iso.datetime({ offset: true }).optional().describe('Created then or later.'),
            createdBefore: z.iso.datetime({ offset: true }).optional().describe('Created before.'),
            ...Paging,
            cursor: z.uuid().optional().describe('`next` of the page before.'),
          }),
          response: { 200: ConversionPage, ...problems(400, 503) },
        },
      },
      async (request) => {
        const { state, source, target, label, createdFrom, createdBefore, limit, cursor } = request.query
        const filter = {
          ...(state && { states: [state].flat() }),
          ...(source !== undefined && { source: canonicalImage(source) }),
          ...(target !== undefined && { target: canonicalImage(target) }),
          ...(label && { labels: labelsOf(label) }),
          ...(createdFrom !== undefined && { from: Date.parse(createdFrom) }),
          ...(createdBefore !== undefined && { to: Date.parse(createdBefore) }),
        }
        const page = await jobs.list('conversion', filter, { limit, ...(cursor && { after: cursor }) })
        return { ...page, items: page.items.map(conversionSummary) }
      },
    )
    app.get(
      '/v1/conversions/counts',
      {
        schema: {
          tags: ['conversions'],
          operationId: 'countConversions',
          summary: 'How many conversions are in each state',
          response: { 200: JobCounts, ...problems(503) },
        },
      },
      () => jobs.counts('conversion'),
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
        if (!job) throw noConversion(request.params.id)
        return shown(services, await waitAsPreferred(jobs, job, request, reply))
      },
    )
  }
}

export function noConversion(id: string): HttpError {
  return new HttpError(404, 'NOT_FOUND', `there is no conversion ${id}`)
}

/** A conversion with everything that is known of it. */
export async function shown(
  { jobs, tagMoves }: Services,
  job: Job,
): Promise<ReturnType<typeof conversionView>> {
  // One that never began has neither.
  if (job.attempt === 0) return conversionView(job, [], [])
  const [attempts, tags] = await Promise.all([jobs.attempts(job.id), tagMoves.ofJob(job.id)])
  return conversionView(job, attempts, tags)
}
