import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { Digest } from '../../oci/digest-schema.ts'
import { WRITTEN_FORMATS, type WrittenFormat } from '../../records/formats/write.ts'
import { sendDocument } from '../document.ts'
import { canonicalImage, Id, ImageName, LabelList, labelsOf, Paging, Workload } from '../parameters.ts'
import { HttpError, problems, recordNotFound } from '../problem.ts'
import type { Services } from '../services.ts'
import { RecordView, recordView } from './view.ts'

const RecordPage = z
  .object({
    items: z.array(RecordView),
    next: z.string().optional().describe('The cursor of the next page.'),
  })
  .meta({ id: 'RecordPage', description: 'Records, newest first.' })

export function recordRoutes({ records, analyses }: Services): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/v1/records',
      {
        schema: {
          tags: ['records'],
          operationId: 'listRecords',
          summary: 'List records, newest first',
          querystring: z.object({
            image: ImageName.optional(),
            workload: Workload.optional(),
            digest: Digest.optional(),
            label: LabelList.optional(),
            ...Paging,
            cursor: z.uuid().optional().describe('`next` of the page before.'),
          }),
          response: { 200: RecordPage, ...problems(400) },
        },
      },
      async (request) => {
        const { image, workload, digest, label, limit, cursor } = request.query
        const filter = {
          ...(image !== undefined && { image: canonicalImage(image) }),
          workload,
          digest,
          labels: labelsOf(label),
        }
        const page = await records.list(filter, { limit, after: cursor })
        return { ...page, items: page.items.map(recordView) }
      },
    )
    app.get(
      '/v1/records/:id',
      {
        schema: {
          tags: ['records'],
          operationId: 'getRecord',
          summary: 'Show a record',
          params: Id,
          response: { 200: RecordView, ...problems(400, 404) },
        },
      },
      async (request) => {
        const record = await records.get(request.params.id)
        if (!record) throw recordNotFound(request.params.id)
        return recordView(record)
      },
    )
    app.get(
      '/v1/records/:id/content',
      {
        schema: {
          tags: ['records'],
          operationId: 'getRecordContent',
          summary: 'Read the entries of a record',
          description:
            'In the `format` that is asked for; without it a stargz record file, or a path list when only text/plain is accepted.',
          params: Id,
          querystring: z.object({
            format: z.enum(Object.keys(WRITTEN_FORMATS) as [WrittenFormat, ...WrittenFormat[]]).optional(),
          }),
          response: {
            200: {
              description: 'The record.',
              content: {
                'application/x-ndjson': { schema: z.string() },
                'text/plain': { schema: z.string() },
                'application/json': { schema: z.array(z.string()) },
              },
            },
            ...problems(400, 404, 422),
          },
        },
      },
      async (request, reply) => {
        const { id } = request.params
        const accept = request.headers.accept ?? ''
        const list = accept.includes('text/plain') && !accept.includes('application/x-ndjson')
        const { abandoned: signal } = request
        const format = request.query.format ?? (list ? 'path-list' : 'stargz-record')
        const content = await analyses.content({ record: id, format }, { signal })
        if (!content) throw recordNotFound(id)
        return sendDocument(reply, WRITTEN_FORMATS[format], content)
      },
    )
    app.delete(
      '/v1/records/:id',
      {
        schema: {
          tags: ['records'],
          operationId: 'deleteRecord',
          summary: 'Delete a record',
          description: 'Record file images that were published of it stay where they are.',
          params: Id,
          response: { 204: z.undefined().describe('The record is gone.'), ...problems(400, 404, 409, 507) },
        },
      },
      async (request, reply) => {
        const { id } = request.params
        const outcome = await records.remove(id)
        if (outcome === 'missing') throw recordNotFound(id)
        if (outcome === 'needed') {
          throw new HttpError(409, 'RECORD_IN_USE', 'a conversion that is not finished needs this record')
        }
        return reply.code(204).send()
      },
    )
  }
}
