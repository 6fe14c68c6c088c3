import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { RecordDiff } from '../../records/combine/diff-records.ts'
import { MergeStrategy } from '../../records/provenance.ts'
import { analysisContext } from '../access/analysis-context.ts'
import { assertImageReadable } from '../access/named-image.ts'
import { requires } from '../access/security.ts'
import { canonicalImage, ImageName, Labels, Workload } from '../parameters.ts'
import { fieldError, HttpError, problemResponses, recordNotFound } from '../problem.ts'
import { sendDocument } from '../send-document.ts'
import type { Services } from '../services.ts'
import { EXAMPLE_ID, RecordView, recordView } from './view.ts'

const MAX_MERGED = 100
const MAX_DIFF_ENTRIES = 10_000

const MergeRequest = z
  .strictObject({
    records: z
      .array(z.uuid())
      .min(2)
      .max(MAX_MERGED)
      .refine((ids) => new Set(ids).size === ids.length, 'must not contain a record twice')
      .describe(
        'The records to merge. If two records have a path at the same position, the order of this list decides.',
      ),
    strategy: MergeStrategy,
    threshold: z
      .number()
      .gt(0)
      .max(1)
      .optional()
      .describe('For `frequency`: the minimum share of records that contain a path.'),
    image: ImageName.optional().describe('Default: the image of the records, if all have the same.'),
    workload: Workload.optional().describe('Default: the workload of the records, if all have the same.'),
    labels: Labels.optional(),
  })
  .refine(({ strategy, threshold }) => (strategy === 'frequency') === (threshold !== undefined), {
    path: ['threshold'],
    message: 'is required for the strategy frequency, and not allowed for others',
  })
  .meta({
    id: 'MergeRequest',
    description: 'The records to merge, and how.',
    examples: [{ records: [EXAMPLE_ID, '019ab1c2-7a30-7000-8000-4b1c2d3e4f51'], strategy: 'union' }],
  })

/** Merges and compares records. */
export function mergeRoutes({
  analyses,
  names,
}: Pick<Services, 'analyses' | 'names'>): FastifyPluginAsyncZod {
  return async (app) => {
    app.post(
      '/v1/records/merges',
      {
        schema: {
          tags: ['records'],
          operationId: 'mergeRecords',
          security: requires('records:write'),
          summary: 'Merge records into a new one',
          description:
            'Each path takes the earliest position that it has in any of the records. `provenance` of the new record lists the records and runs that it was created from.',
          body: MergeRequest,
          response: {
            200: RecordView.describe('The record already existed.'),
            201: RecordView.describe('The record was created.'),
            ...problemResponses(400, 403, 404, 413, 422, 429, 503, 504, 507),
          },
        },
      },
      async (request, reply) => {
        const { image, ...body } = request.body
        assertImageReadable(image, 'body.image', { caller: request.caller, names })
        const merge = { ...body, ...(image !== undefined && { image: canonicalImage(image) }) }
        const result = await analyses.merge(merge, analysisContext(request))
        if (result.kind === 'missing') {
          const { position } = result
          const message = `record ${body.records[position]} does not exist`
          throw fieldError(404, 'RECORD_NOT_FOUND', `body.records.${position}`, message)
        }
        if (result.kind === 'nothing-in-common') {
          throw new HttpError(
            422,
            'EMPTY_MERGE',
            'the merged record would be empty: no path is in enough of the records',
          )
        }
        const { record, created } = result
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
          security: requires('records:read'),
          summary: 'Compare two records',
          description: 'Lists the entries that only one of the two has, and counts those that both have.',
          params: z.object({ a: z.uuid(), b: z.uuid() }),
          querystring: z.object({
            limit: z.coerce
              .number()
              .int()
              .min(0)
              .max(MAX_DIFF_ENTRIES)
              .default(1000)
              .describe('The maximum number of entries to list for each record.'),
          }),
          response: { 200: RecordDiff, ...problemResponses(400, 404, 503, 504) },
        },
      },
      async (request, reply) => {
        const diff = await analyses.diff({ ...request.params, ...request.query }, analysisContext(request))
        if ('missing' in diff) throw recordNotFound(diff.missing)
        return sendDocument(reply, 'application/json', diff)
      },
    )
  }
}
