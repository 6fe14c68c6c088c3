import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { Digest } from '../../oci/digest-schema.ts'
import { WRITTEN_FORMATS, type WrittenFormat } from '../../records/formats/write-record.ts'
import { analysisContext } from '../access/analysis-context.ts'
import { listedScope, ProjectQuery } from '../access/listed-project.ts'
import { requires } from '../access/security.ts'
import { addVary } from '../browser/caching.ts'
import { SearchText } from '../images/catalogue-query.ts'
import { Total, totalView } from '../images/record-image-view.ts'
import {
  canonicalImage,
  IdParams,
  ImageName,
  LabelQuery,
  PageQuery,
  parseLabels,
  parseTimes,
  Time,
  Workload,
} from '../parameters.ts'
import { HttpError, problemResponses, recordNotFound } from '../problem.ts'
import { sendDocument } from '../send-document.ts'
import type { Services } from '../services.ts'
import { RecordView, recordView } from './view.ts'

const RecordPage = z
  .object({
    items: z.array(RecordView),
    next: z.string().optional().describe('The cursor of the next page. Omitted on the last page.'),
    ...Total,
  })
  .meta({ id: 'RecordPage', description: 'A page of records, newest first.' })

/** Lists, shows and deletes records. */
export function recordRoutes({
  records,
  analyses,
}: Pick<Services, 'records' | 'analyses'>): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/v1/records',
      {
        schema: {
          tags: ['records'],
          operationId: 'listRecords',
          security: requires('records:read'),
          summary: 'List records, newest first',
          description: 'Filters can be combined. Each record is shown without its entries.',
          querystring: z.object({
            image: ImageName.optional(),
            workload: Workload.optional(),
            digest: Digest.optional(),
            label: LabelQuery.optional(),
            text: SearchText.optional().describe('The starts of words in image, workload and labels.'),
            createdFrom: Time.optional().describe('Only records created at this time or later.'),
            createdBefore: Time.optional().describe('Only records created before this time.'),
            ...ProjectQuery,
            ...PageQuery,
            cursor: z.uuid().optional().describe('The value of `next` in the previous page.'),
          }),
          response: { 200: RecordPage, ...problemResponses(400) },
        },
      },
      async (request) => {
        const { image, workload, digest, label, text, createdFrom, createdBefore, project, limit, cursor } =
          request.query
        const filter = {
          ...(image !== undefined && { image: canonicalImage(image) }),
          workload,
          digest,
          labels: parseLabels(label),
          text,
          ...parseTimes({ from: createdFrom, before: createdBefore }),
        }
        const listed = records.in(listedScope(request.caller, project))
        const { items, next, total } = await listed.list(filter, { limit, after: cursor })
        return { items: items.map(recordView), next, ...totalView(total) }
      },
    )
    app.get(
      '/v1/records/:id',
      {
        schema: {
          tags: ['records'],
          operationId: 'getRecord',
          security: requires('records:read'),
          summary: 'Show a record',
          description:
            'Shows the image and the workload of the record, what became of its lines, and where it was published. Its entries are at `/v1/records/{id}/content`.',
          params: IdParams,
          response: { 200: RecordView, ...problemResponses(400, 404) },
        },
      },
      async (request) => {
        const record = await records.in(request.caller.projectScope).get(request.params.id)
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
          security: requires('records:read'),
          summary: 'Read the entries of a record',
          description:
            'Returns the entries in the requested `format`. Default: a stargz record file, or a path list if `Accept` allows only text/plain.',
          params: IdParams,
          querystring: z.object({
            format: z.enum(Object.keys(WRITTEN_FORMATS) as [WrittenFormat, ...WrittenFormat[]]).optional(),
          }),
          response: {
            200: {
              description: 'The entries of the record.',
              content: {
                'application/x-ndjson': { schema: z.string() },
                'text/plain': { schema: z.string() },
                'application/json': { schema: z.array(z.string()) },
              },
            },
            ...problemResponses(400, 404, 422),
          },
        },
      },
      async (request, reply) => {
        const { id } = request.params
        const accept = request.headers.accept ?? ''
        const wantsPathList = accept.includes('text/plain') && !accept.includes('application/x-ndjson')
        const format = request.query.format ?? (wantsPathList ? 'path-list' : 'stargz-record')
        const content = await analyses.readContent({ record: id, format }, analysisContext(request))
        if (!content) throw recordNotFound(id)
        addVary(reply, 'accept')
        return sendDocument(reply, WRITTEN_FORMATS[format], content)
      },
    )
    app.delete(
      '/v1/records/:id',
      {
        schema: {
          tags: ['records'],
          operationId: 'deleteRecord',
          security: requires('records:delete'),
          summary: 'Delete a record',
          description: 'Record file images of the record remain in their registries.',
          params: IdParams,
          response: {
            204: z.undefined().describe('The record was deleted.'),
            ...problemResponses(400, 404, 409, 507),
          },
        },
      },
      async (request, reply) => {
        const { id } = request.params
        const outcome = await records.in(request.caller.projectScope).remove(id)
        if (outcome === 'missing') throw recordNotFound(id)
        if (outcome === 'needed') {
          throw new HttpError(409, 'RECORD_IN_USE', 'an unfinished conversion needs this record')
        }
        return reply.code(204).send()
      },
    )
  }
}
