import type { FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { BATCH_STATES, type Batch } from '../../jobs/queue/batch-store.ts'
import { listedScope, ProjectQuery } from '../access/listed-project.ts'
import { requires } from '../access/security.ts'
import { assertConvertible, conversionJob, NewConversion } from '../conversions/new-conversion.ts'
import { conversionSummary } from '../conversions/view.ts'
import type { JobValidator } from '../jobs/job-validator.ts'
import { IdParams, LabelQuery, Labels, PageQuery, parseLabels, parseTimes, Time } from '../parameters.ts'
import { HttpError, problemResponses } from '../problem.ts'
import type { Services } from '../services.ts'
import { BatchItems, BatchPage, BatchView, batchView } from './view.ts'

const MAX_CONVERSIONS = 1000

const NewBatch = z
  .strictObject({
    conversions: z.array(NewConversion).min(1).max(MAX_CONVERSIONS),
    labels: Labels.optional().describe('Labels of the batch and of each conversion that it creates.'),
  })
  .meta({
    id: 'NewConversionBatch',
    description: 'Images to convert. Either all conversions are accepted, or none.',
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

const State = z.enum(BATCH_STATES)
const BatchQuery = z.object({
  state: z
    .union([State, z.array(State).max(BATCH_STATES.length)])
    .optional()
    .describe('Only batches in this state. Can be repeated.'),
  label: LabelQuery.optional(),
  createdFrom: Time.optional().describe('Only batches created at this time or later.'),
  createdBefore: Time.optional().describe('Only batches created before this time.'),
  ...ProjectQuery,
  ...PageQuery,
  cursor: z.uuid().optional().describe('The value of `next` in the previous page.'),
})

/** Creates and tracks many conversions as one batch. */
export function batchRoutes(batches: Services['batches'], validator: JobValidator): FastifyPluginAsyncZod {
  const getBatch = async ({ caller }: Pick<FastifyRequest, 'caller'>, id: string): Promise<Batch> => {
    const batch = await batches.in(caller.projectScope).get(id)
    if (!batch) throw new HttpError(404, 'NOT_FOUND', `batch ${id} does not exist`)
    return batch
  }
  return async (app) => {
    app.post(
      '/v1/conversion-batches',
      {
        schema: {
          tags: ['conversions'],
          operationId: 'createBatch',
          security: requires('conversions:write'),
          summary: `Convert up to ${MAX_CONVERSIONS} images`,
          description:
            'Accepts all conversions, or none. A conversion that is equivalent to a queued or running one joins it.',
          body: NewBatch,
          response: { 202: BatchView, ...problemResponses(400, 403, 409, 413, 422, 429, 503, 507) },
        },
      },
      async (request, reply) => {
        const { conversions, labels = {} } = request.body
        const items = conversions.map((body, i) => ({ body, fieldPath: `body.conversions.${i}` }))
        await assertConvertible(items, validator, request)
        const jobs = conversions.map((conversion) =>
          conversionJob(
            { ...conversion, labels: { ...labels, ...conversion.labels } },
            { requestId: request.id },
          ),
        )
        const batch = await batches
          .in(request.caller.projectScope)
          .create(jobs, { labels, requestKey: request.idempotencyKey })
        reply.header('location', `/v1/conversion-batches/${batch.id}`)
        return reply.code(202).send(batchView(batch))
      },
    )
    app.get(
      '/v1/conversion-batches',
      {
        schema: {
          tags: ['conversions'],
          operationId: 'listBatches',
          security: requires('conversions:read'),
          summary: 'List batches, newest first',
          description: 'Shows the number of conversions in each state for each batch.',
          querystring: BatchQuery,
          response: { 200: BatchPage, ...problemResponses(400, 503) },
        },
      },
      async (request) => {
        const { state, label, createdFrom, createdBefore, project, limit, cursor } = request.query
        const filter = {
          ...(state && { states: [state].flat() }),
          ...(label && { labels: parseLabels(label) }),
          ...parseTimes({ createdFrom, createdBefore }),
        }
        const visible = batches.in(listedScope(request.caller, project))
        const { items, ...rest } = await visible.list(filter, { limit, after: cursor })
        return { items: items.map(batchView), ...rest }
      },
    )
    app.get(
      '/v1/conversion-batches/:id',
      {
        schema: {
          tags: ['conversions'],
          operationId: 'getBatch',
          security: requires('conversions:read'),
          summary: 'Show the state of a batch',
          description: 'Shows the number of its conversions in each state.',
          params: IdParams,
          response: { 200: BatchView, ...problemResponses(400, 404, 503) },
        },
      },
      async (request) => batchView(await getBatch(request, request.params.id)),
    )
    app.get(
      '/v1/conversion-batches/:id/conversions',
      {
        schema: {
          tags: ['conversions'],
          operationId: 'listBatch',
          security: requires('conversions:read'),
          summary: 'List the conversions of a batch, in the order of the request',
          description: 'Shows a summary of each conversion.',
          params: IdParams,
          querystring: z.object({
            ...PageQuery,
            cursor: z
              .string()
              .regex(/^\d{1,6}$/)
              .optional()
              .describe('The value of `next` in the previous page.'),
          }),
          response: { 200: BatchItems, ...problemResponses(400, 404, 503) },
        },
      },
      async (request) => {
        const batch = await getBatch(request, request.params.id)
        const { limit, cursor } = request.query
        const visible = batches.in(request.caller.projectScope)
        const { items, next } = await visible.jobs(batch, { limit, after: Number(cursor ?? -1) })
        return { items: items.map(conversionSummary), ...(next !== undefined && { next: String(next) }) }
      },
    )
    app.post(
      '/v1/conversion-batches/:id/cancel',
      {
        schema: {
          tags: ['conversions'],
          operationId: 'cancelBatch',
          security: requires('conversions:write'),
          summary: 'Cancel the unfinished conversions of a batch',
          description: 'A conversion that other requests have joined is cancelled for them, too.',
          params: IdParams,
          response: { 202: BatchView, ...problemResponses(400, 404, 503, 507) },
        },
      },
      async (request, reply) => {
        const batch = await getBatch(request, request.params.id)
        await batches.in(request.caller.projectScope).cancel(batch)
        return reply.code(202).send(batchView(await getBatch(request, batch.id)))
      },
    )
  }
}
