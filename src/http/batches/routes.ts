import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Batch } from '../../jobs/queue/batches.ts'
import { assertAcceptable, conversionJob, NewConversion } from '../conversions/new-conversion.ts'
import { ConversionSummary, conversionSummary } from '../conversions/view.ts'
import { JobCounts } from '../jobs/view.ts'
import { Id, isoTime, Labels, Moment, Paging } from '../parameters.ts'
import { HttpError, problems } from '../problem.ts'
import type { Services } from '../services.ts'

const MAX_CONVERSIONS = 1000

const NewBatch = z
  .strictObject({
    conversions: z.array(NewConversion).min(1).max(MAX_CONVERSIONS),
    labels: Labels.optional().describe('Of the batch, and of each of its conversions that is new.'),
  })
  .meta({
    id: 'NewBatch',
    description: 'Many images to convert, which are accepted all or not at all.',
    examples: [
      {
        conversions: ['1.0', '1.1'].map((tag) => ({
          source: `registry.example/team/app:${tag}`,
          target: `registry.example/team/app:${tag}-esgz`,
        })),
        labels: { release: '2026-01' },
      },
    ],
  })

const BatchView = z
  .object({
    id: z.string(),
    state: z
      .enum(['running', 'succeeded', 'failed'])
      .describe(
        'running: something is to be done yet; succeeded: everything was; failed: something was not.',
      ),
    counts: JobCounts,
    labels: z.record(z.string(), z.string()),
    createdAt: Moment,
  })
  .meta({
    id: 'Batch',
    description: 'Conversions that were asked for together.',
    examples: [
      {
        id: '019ab1c2-7a30-7000-8000-4b1c2d3e4f50',
        state: 'running',
        counts: { queued: 1, running: 1, succeeded: 0, failed: 0, cancelled: 0 },
        labels: { release: '2026-01' },
        createdAt: '2026-01-02T03:04:05.678Z',
      },
    ],
  })

const BatchItems = z
  .object({ items: z.array(ConversionSummary), next: z.string().optional() })
  .meta({ id: 'BatchItems', description: 'Conversions of a batch, in the order of the request.' })

/** Many conversions at once, with one status. */
export function batchRoutes(services: Services): FastifyPluginAsyncZod {
  const { batches } = services
  const existing = async (id: string): Promise<Batch> => {
    const batch = await batches.get(id)
    if (!batch) throw new HttpError(404, 'NOT_FOUND', `there is no batch ${id}`)
    return batch
  }
  return async (app) => {
    app.post(
      '/v1/conversion-batches',
      {
        schema: {
          tags: ['conversions'],
          operationId: 'createBatch',
          summary: `Convert up to ${MAX_CONVERSIONS} images`,
          description:
            'All are accepted, or none. Conversions that would do the same as one that is queued or running are joined.',
          body: NewBatch,
          response: { 202: BatchView, ...problems(400, 403, 409, 413, 422, 503, 507) },
        },
      },
      async (request, reply) => {
        const { conversions, labels = {} } = request.body
        const asked = conversions.map((body, i) => ({ body, at: `body.conversions.${i}` }))
        await assertAcceptable(asked, services, request.abandoned)
        const jobs = conversions.map((one) =>
          conversionJob({ ...one, labels: { ...labels, ...one.labels } }, undefined),
        )
        const batch = await batches.create(jobs, { labels, requestKey: request.idempotencyKey })
        reply.header('location', `/v1/conversion-batches/${batch.id}`)
        return reply.code(202).send(batchView(batch))
      },
    )
    app.get(
      '/v1/conversion-batches/:id',
      {
        schema: {
          tags: ['conversions'],
          operationId: 'getBatch',
          summary: 'Show how far a batch is',
          params: Id,
          response: { 200: BatchView, ...problems(400, 404, 503) },
        },
      },
      async (request) => batchView(await existing(request.params.id)),
    )
    app.get(
      '/v1/conversion-batches/:id/conversions',
      {
        schema: {
          tags: ['conversions'],
          operationId: 'listBatch',
          summary: 'List the conversions of a batch, in the order of the request',
          params: Id,
          querystring: z.object({
            ...Paging,
            cursor: z
              .string()
              .regex(/^\d{1,6}$/)
              .optional()
              .describe('`next` of the page before.'),
          }),
          response: { 200: BatchItems, ...problems(400, 404, 503) },
        },
      },
      async (request) => {
        const { id } = await existing(request.params.id)
        const { limit, cursor } = request.query
        const { items, next } = await batches.jobs(id, { limit, after: Number(cursor ?? -1) })
        return { items: items.map(conversionSummary), ...(next !== undefined && { next: String(next) }) }
      },
    )
    app.post(
      '/v1/conversion-batches/:id/cancel',
      {
        schema: {
          tags: ['conversions'],
          operationId: 'cancelBatch',
          summary: 'Cancel what of a batch is not over',
          description: 'Conversions that others asked for, too, are cancelled for them as well.',
          params: Id,
          response: { 202: BatchView, ...problems(400, 404, 503, 507) },
        },
      },
      async (request, reply) => {
        const { id } = await existing(request.params.id)
        await batches.cancel(id)
        return reply.code(202).send(batchView(await existing(id)))
      },
    )
  }
}

function batchView({ id, counts, labels, createdAt }: Batch): z.infer<typeof BatchView> {
  const unfinished = counts.queued + counts.running > 0
  const state = unfinished ? 'running' : counts.failed + counts.cancelled > 0 ? 'failed' : 'succeeded'
  return { id, state, counts: { ...counts }, labels: { ...labels }, createdAt: isoTime(createdAt) }
}
