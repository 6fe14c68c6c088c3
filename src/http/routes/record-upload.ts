import type { Readable } from 'node:stream'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ReferenceText } from '../../oci/reference.ts'
import { readRecord } from '../../records/formats/read.ts'
import { PROFILERS } from '../../records/formats/table.ts'
import { RecordFormat } from '../../records/model.ts'
import { canonicalImage, ImageName, LabelList, labelsOf, signalOf, Workload } from '../parameters.ts'
import { HttpError, problemOf, problems } from '../problem.ts'
import { recordAdded } from '../pushes/trigger.ts'
import { RecordView, recordView } from '../record-view.ts'
import type { Services } from '../services.ts'

const CONTENT_TYPES = ['application/x-ndjson', 'text/plain', 'application/json', 'text/csv']

const ProfilerText = z
  .string()
  .regex(/^[\x21-\x7e](?:[\x20-\x7e]{0,98}[\x21-\x7e])?$/, 'expected up to 100 printable ASCII characters')

/** `POST /v1/records`: the body is the record itself, read as it comes. */
export function recordUploadRoute(services: Services, maxBytes: number): FastifyPluginAsyncZod {
  return async (app) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser(CONTENT_TYPES, (_request, body, done) => done(null, body))
    // A route for any other type, to say which ones are taken.
    app.addContentTypeParser('*', (_request, _body, done) => {
      done(new HttpError(415, 'UNSUPPORTED_TYPE', `send the record as ${CONTENT_TYPES.join(' or ')}`))
    })
    app.post(
      '/v1/records',
      {
        schema: {
          tags: ['records'],
          operationId: 'uploadRecord',
          summary: 'Upload a record',
          description:
            'The body is the record as the profiler wrote it: a stargz record file, a path list, the log of strace, fatrace or opensnoop, or a list of nydus, SOCI or overlaybd. What of it is no entry is counted in `skipped`. The same content for the same image and workload is the same record: it is answered with 200, and new labels are added to it.',
          querystring: z.object({
            image: ImageName.optional(),
            workload: Workload.optional(),
            format: RecordFormat.optional().describe('Left out: found out from the content.'),
            workingDirectory: z
              .string()
              .max(4096)
              .startsWith('/')
              .optional()
              .describe(
                'Where the profiled program started: relative paths in its log are taken from there.',
              ),
            profiler: ProfilerText.optional().describe(
              'What made the profile; left out: as the format says.',
            ),
            profilerVersion: ProfilerText.optional(),
            label: LabelList.optional(),
            publish: z
              .union([z.enum(['true', 'false']), ReferenceText])
              .optional()
              .describe('Also publish it: `true`, beside its image in the backing registry, or a reference.'),
          }),
          response: {
            200: RecordView.describe('The record was there already.'),
            201: RecordView.describe('The record is stored.'),
            ...problems(400, 403, 409, 413, 415, 422, 502, 503),
          },
        },
      },
      async (request, reply) => {
        const { image, workload, format, workingDirectory, label, publish } = request.query
        const body = request.body as Readable | undefined
        if (!body)
          throw new HttpError(400, 'INVALID_RECORD', 'the record is missing: it is the body of the request')
        const read = await readRecord(body, { format, maxBytes, workingDirectory })
        const { record, created } = await services.records.add({
          ...read,
          ...(image !== undefined && { image: canonicalImage(image) }),
          workload,
          profiler: request.query.profiler ?? PROFILERS[read.format],
          profilerVersion: request.query.profilerVersion,
          labels: labelsOf(label),
        })
        if (created) await recordAdded(services, record)
        if (publish !== undefined && publish !== 'false') {
          const signal = signalOf(reply)
          const place = publish === 'true' ? { signal } : { reference: publish, signal }
          await services.publisher.publish(record.id, place).catch((error: Error) => {
            throw storedOnly(error, record.id)
          })
        }
        const stored = (await services.records.get(record.id)) ?? record
        reply.header('location', `/v1/records/${record.id}`)
        return reply.code(created ? 201 : 200).send(recordView(stored))
      },
    )
  }
}

/** The upload succeeded, what followed did not: the caller learns both. */
function storedOnly(error: Error, recordId: string): Error {
  const { status, code, detail } = problemOf(error)
  if (status === 500) return error
  return new HttpError(status, code, `the record is stored, and not published: ${detail}`, { recordId })
}
