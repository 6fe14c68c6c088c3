import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { diffRecords, RecordDiff } from '../../records/diff.ts'
import { Merger } from '../../records/merge.ts'
import { MergeStrategy, madeOf } from '../../records/provenance.ts'
import type { StoredRecord } from '../../records/store.ts'
import { canonicalImage, ImageName, Labels, Workload } from '../parameters.ts'
import { fieldError, HttpError, noRecord, problems } from '../problem.ts'
import { EXAMPLE_ID, RecordView, recordView } from '../record-view.ts'
import type { Services } from '../services.ts'

const MOST_MERGED = 100
const MOST_NAMED = 10_000

const MergeRequest = z
  .strictObject({
    records: z
      .array(z.uuid())
      .min(2)
      .max(MOST_MERGED)
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

export function mergeRoutes({ records }: Services): FastifyPluginAsyncZod {
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
            ...problems(400, 404, 413, 422),
          },
        },
      },
      async (request, reply) => {
        const { body } = request
        const { strategy, threshold } = body
        const merger = new Merger()
        const sources: StoredRecord[] = []
        // One after the other: only what is merged is held in memory.
        for (const [i, id] of body.records.entries()) {
          const found = await records.read(id)
          if (!found)
            throw fieldError(404, 'RECORD_NOT_FOUND', `body.records.${i}`, `there is no record ${id}`)
          merger.add(found.entries)
          sources.push(found.record)
        }
        const entries = merger.merged({ strategy, threshold })
        if (entries.length === 0) {
          throw new HttpError(
            422,
            'NOTHING_IN_COMMON',
            'no path is in enough of these records: the merged one would be empty',
          )
        }
        const { record, created } = await records.add({
          entries,
          format: 'stargz-record',
          image: body.image === undefined ? shared(sources, 'image') : canonicalImage(body.image),
          workload: body.workload ?? shared(sources, 'workload'),
          labels: body.labels ?? {},
          provenance: {
            kind: 'merge',
            strategy,
            ...(threshold !== undefined && { threshold }),
            ...madeOf(sources),
          },
        })
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
              .max(MOST_NAMED)
              .default(1000)
              .describe('Entries named of each.'),
          }),
          response: { 200: RecordDiff, ...problems(400, 404) },
        },
      },
      async (request) => {
        const { a, b } = request.params
        const [inA, inB] = [await records.content(a), await records.content(b)]
        if (!inA) throw noRecord(a)
        if (!inB) throw noRecord(b)
        return diffRecords(inA, inB, request.query.limit)
      },
    )
  }
}

/** What all records say, when they say the same. */
function shared(sources: readonly StoredRecord[], what: 'image' | 'workload'): string | undefined {
  const [only, ...others] = new Set(sources.map((record) => record[what]))
  return others.length === 0 ? only : undefined
}
