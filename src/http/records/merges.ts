import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { RecordDiff } from '../../records/combine/diff.ts'
import { MergeStrategy } from '../../records/provenance.ts'
import { sendDocument } from '../document.ts'
import { canonicalImage, ImageName, Labels, Workload } from '../parameters.ts'
import { fieldError, HttpError, problems, recordNotFound } from '../problem.ts'
import type { Services } from '../services.ts'
import { EXAMPLE_ID, RecordView, recordView } from './view.ts'

const MAX_MERGED = 100
const MAX_NAMED = 10_000

const MergeRequest = z
  .strictObject({
    records: z
      .array(z.uuid())
      .min(2)
      .max(MAX_MERGED)
      .refine((ids) => new Set(ids).size === ids.length, 'names a record twice')
      .describe('Where two have a path at the same place, the first decides.'),
    strategy: MergeStrategy,
    threshold: z
      .number()
      .gt(0)
      .max(1)
      .optional()
      .describe('Of frequency: the share of records that have a path.'),
    image: ImageName.optional().describe('Left out: that of all records, where it is one.'),
    workload: Workload.optional().describe('Left out: that of all records, where it is one.'),
    labels: Labels.optional(),
  })
  .refine(({ strategy, threshold }) => (strategy === 'frequency') === (threshold !== undefined), {
    path: ['threshold'],
    message: 'belongs to the strategy frequency, which needs it',
  })
  .meta({
    id: 'MergeRequest',
    description: 'Records to put together.',
    examples: [{ records: [EXAMPLE_ID, '019ab1c2-7a30-7000-8000-4b1c2d3e4f51'], strategy: 'union' }],
  })

export function mergeRoutes({ analyses }: Services): FastifyPluginAsyncZod {
  return async (app) => {
    app.post(
      '/v1/records/merges',
      {
        schema: {
          tags: ['records'],
          operationId: 'mergeRecords',
          summary: 'Put records together into a new one',
          description:
            'A path stands at the earliest place that it has in any of them. `provenance` of the new record tells which records and runs it was made of.',
          body: MergeRequest,
          response: {
            200: RecordView.describe('There is such a record already.'),
            201: RecordView.describe('The merged record.'),
            ...problems(400, 404, 413, 422, 503, 504, 507),
          },
        },
      },
      async (request, reply) => {
        const { image, ...body } = request.body
        const terms = { ...body, ...(image !== undefined && { image: canonicalImage(image) }) }
        const { abandoned: signal } = request
        const outcome = await analyses.merge(terms, { signal })
        if (outcome.kind === 'missing') {
          const { position } = outcome
          const why = `there is no record ${body.records[position]}`
          throw fieldError(404, 'RECORD_NOT_FOUND', `body.records.${position}`, why)
        }
        if (outcome.kind === 'nothing-in-common') {
          throw new HttpError(
            422,
            'NOTHING_IN_COMMON',
            'no path is in enough of these records: the merged one would be empty',
          )
        }
        const { record, created } = outcome
        reply.header('location', `/v1/records/${record.id}`)
        return reply.code(created ? 201 : 200).send(recordView(record))
      },
    )
    app.get(
      '/v1/records/:a/diff/:b',
      {
        schema: {
          tags: ['records'],
          operationId: 'diffRecords',
          summary: 'Compare two records',
          params: z.object({ a: z.uuid(), b: z.uuid() }),
          querystring: z.object({
            limit: z.coerce
              .number()
              .int()
              .min(0)
              .max(MAX_NAMED)
              .default(1000)
              .describe('Entries named of each.'),
          }),
          response: { 200: RecordDiff, ...problems(400, 404, 503, 504) },
        },
      },
      async (request, reply) => {
        const { abandoned: signal } = request
        const compared = await analyses.diff({ ...request.params, ...request.query }, { signal })
        if ('missing' in compared) throw recordNotFound(compared.missing)
        return sendDocument(reply, 'application/json', compared)
      },
    )
  }
}
