import type { FastifyReply } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ConversionProgress, ConversionReport } from '../../conversion/report.ts'
import { ConversionRequest } from '../../conversion/request.ts'
import type { Job } from '../../jobs/job.ts'
import { ReferenceText } from '../../oci/reference.ts'
import { JobStateView, jobFields, jobView } from '../job-view.ts'
import { canonicalImage, Id, Paging, signalOf } from '../parameters.ts'
import { fieldError, HttpError, problems } from '../problem.ts'
import { EXAMPLE_ID } from '../record-view.ts'
import type { Services } from '../services.ts'

const summary = { ...jobFields, source: z.string(), target: z.string() }
const example = {
  id: EXAMPLE_ID,
  state: 'queued' as const,
  attempt: 0,
  createdAt: '2026-01-02T03:04:05.678Z',
  source: 'registry.example/team/app:1.0',
  target: 'registry.example/team/app:1.0-esgz',
}

const ConversionSummary = z
  .object(summary)
  .meta({ id: 'ConversionSummary', description: 'A conversion in a listing.', examples: [example] })

const Conversion = z
  .object({
    ...summary,
    request: ConversionRequest,
    progress: ConversionProgress.optional().describe('While it runs.'),
    report: ConversionReport.optional().describe('When it succeeded.'),
  })
  .meta({
    id: 'Conversion',
    description: 'A job that converts an image.',
    examples: [{ ...example, request: { source: example.source, target: example.target } }],
  })

const ConversionPage = z
  .object({ items: z.array(ConversionSummary), next: z.string().optional() })
  .meta({ id: 'ConversionPage', description: 'Conversions, newest first.' })

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
            'Accepts the work and answers at once; a worker does it. The target tag moves when the image is complete.',
          body: ConversionRequest,
          response: { 202: Conversion, ...problems(400, 403, 413, 422) },
        },
      },
      async (request, reply) => {
        const { body } = request
        await refuseUnfit(body, services, reply)
        const { record } = body
        const { job } = await jobs.create({
          kind: 'conversion',
          source: canonicalImage(body.source),
          target: canonicalImage(body.target),
          request: body,
          ...(record && 'id' in record && { recordId: record.id }),
        })
        reply.header('location', `/v1/conversions/${job.id}`)
        return reply.code(202).send(conversionView(job))
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
            state: JobStateView.optional(),
            source: ReferenceText.optional(),
            target: ReferenceText.optional(),
            ...Paging,
            cursor: z.uuid().optional().describe('`next` of the page before.'),
          }),
          response: { 200: ConversionPage, ...problems(400) },
        },
      },
      async (request) => {
        const { state, source, target, limit, cursor } = request.query
        const filter = {
          ...(state && { states: [state] }),
          ...(source !== undefined && { source: canonicalImage(source) }),
          ...(target !== undefined && { target: canonicalImage(target) }),
        }
        const page = await jobs.list('conversion', filter, { limit, ...(cursor && { after: cursor }) })
        return {
          ...page,
          items: page.items.map((job) => ({ ...jobView(job), source: job.source, target: job.target })),
        }
      },
    )
    app.get(
      '/v1/conversions/:id',
      {
        schema: {
          tags: ['conversions'],
          operationId: 'getConversion',
          summary: 'Show a conversion: its state, its progress, at the end its report',
          params: Id,
          response: { 200: Conversion, ...problems(400, 404) },
        },
      },
      async (request) => {
        const job = await jobs.get('conversion', request.params.id)
        if (!job) throw new HttpError(404, 'NOT_FOUND', `there is no conversion ${request.params.id}`)
        return conversionView(job)
      },
    )
  }
}

/** Refuses before anything is accepted what can be known to fail. */
async function refuseUnfit(
  body: ConversionRequest,
  { records, checkAllowed, checkPlatforms }: Services,
  reply: FastifyReply,
): Promise<void> {
  checkAllowed(body.source)
  checkAllowed(body.target)
  const { record } = body
  if (record && 'image' in record) checkAllowed(record.image)
  if (record && 'copyFrom' in record) checkAllowed(record.copyFrom)
  if (record && 'id' in record && !(await records.get(record.id))) {
    throw fieldError(422, 'RECORD_NOT_FOUND', 'body.record.id', `there is no record ${record.id}`)
  }
  if (body.platforms) await checkPlatforms(body.source, body.platforms, signalOf(reply))
}

/** What is stored was checked when it was written. */
function conversionView(job: Job): z.infer<typeof Conversion> {
  return {
    ...jobView(job),
    source: job.source,
    target: job.target,
    request: job.request as ConversionRequest,
    ...(job.state === 'running' && job.progress !== undefined
      ? { progress: job.progress as ConversionProgress }
      : {}),
    ...(job.report !== undefined ? { report: job.report as ConversionReport } : {}),
  }
}
