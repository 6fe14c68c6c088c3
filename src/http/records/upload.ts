import type { Readable } from 'node:stream'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { CONTENT_ENCODINGS, contentEncodingOf } from '../../bytes/content-encoding.ts'
import { ReferenceText } from '../../oci/reference.ts'
import { FoundInImage } from '../../records/evaluation.ts'
import { isGlobPattern } from '../../records/glob/glob.ts'
import { RecordFormat } from '../../records/model.ts'
import type { StoredRecord } from '../../records/stored-record.ts'
import { keyOf, replayResponse, requestLine } from '../idempotency/idempotency.ts'
import { canonicalImage, ImageName, LabelList, labelsOf, Workload } from '../parameters.ts'
import { HttpError, problemOf, problems } from '../problem.ts'
import type { Trigger } from '../pushes/trigger.ts'
import type { Services } from '../services.ts'
import { RecordView, recordView } from './view.ts'

const CONTENT_TYPES = ['application/x-ndjson', 'text/plain', 'application/json', 'text/csv']

/** Content codings that are taken, as `Accept-Encoding` says them (RFC 9110, 15.5.16). */
const TAKEN = CONTENT_ENCODINGS.join(', ')

const UploadedRecord = RecordView.extend({ inImage: FoundInImage.optional() }).meta({
  id: 'UploadedRecord',
  description: 'A record that was uploaded, and how much of it the profiled image has.',
})

const ExcludedPaths = z.string().min(1).max(4096).refine(isGlobPattern, 'is no valid glob')
const Exclude = z.union([ExcludedPaths, z.array(ExcludedPaths).max(20)])

const ProfilerText = z
  .string()
  .regex(/^[\x21-\x7e](?:[\x20-\x7e]{0,98}[\x21-\x7e])?$/, 'expected up to 100 printable ASCII characters')

/** `POST /v1/records`: the body is the record itself, read as it comes. */
export function recordUploadRoute(
  { analyses, records, spool, recordBytes }: Services,
  trigger: Trigger,
): FastifyPluginAsyncZod {
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
        config: { comparesRequests: true },
        schema: {
          tags: ['records'],
          operationId: 'uploadRecord',
          summary: 'Upload a record',
          description:
            'The body is the record as the profiler wrote it: a stargz record file, a path list, the log of strace, fatrace, opensnoop, Inspektor Gadget, audit or stargz-snapshotter, or a list of nydus, SOCI or overlaybd. It may be packed (`Content-Encoding`: gzip, deflate, br or zstd). What of it is no entry is counted in `skipped`; what may be wrong is in `warnings`. With `image`, `inImage` says how many of its paths that image has. The same content for the same image and workload is the same record: it is answered with 200, and new labels are added to it.',
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
            root: z
              .string()
              .max(4096)
              .startsWith('/')
              .optional()
              .describe(
                'The root of the container as the profiler saw it on its host: it is cut off, and what lies outside is left out. Without it the roots of docker, containerd, podman and CRI-O are recognised.',
              ),
            exclude: Exclude.optional().describe(
              'Globs of paths that are left out, such as those of a wrapper.',
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
            200: UploadedRecord.describe('The record was there already.'),
            201: UploadedRecord.describe('The record is stored.'),
            ...problems(400, 403, 409, 413, 415, 422, 502, 503, 507),
          },
        },
      },
      async (request, reply) => {
        const { image, workload, format, workingDirectory, root, exclude } = request.query
        const { profiler, profilerVersion } = request.query
        const encoding = contentEncodingOf(request.headers['content-encoding'])
        if (encoding === 'unknown') {
          reply.header('accept-encoding', TAKEN)
          const why = `this Content-Encoding is not undone; send the record as it is, or as ${TAKEN}`
          throw new HttpError(415, 'UNSUPPORTED_ENCODING', why)
        }
        const body = request.body as Readable | undefined
        if (!body) {
          throw new HttpError(400, 'INVALID_RECORD', 'the record is missing: it is the body of the request')
        }
        const key = keyOf(request)
        const upload = {
          image: image === undefined ? undefined : canonicalImage(image),
          workload,
          format,
          workingDirectory,
          root,
          exclude: exclude === undefined ? undefined : [exclude].flat(),
          encoding,
          profiler,
          profilerVersion,
          labels: labelsOf(request.query.label),
          idempotency:
            key === undefined ? undefined : { key, request: `${requestLine(request)} ${encoding ?? ''}` },
        }
        const { abandoned: signal } = request
        // What is refused is answered while the rest of it still comes: the stream has to stay.
        const pieces = body.iterator({ destroyOnReturn: false })
        await using input = await spool.take(pieces, checkSize, signal)
        const outcome = await analyses.upload(upload, { signal, input })
        if (outcome.kind === 'repeated') return replayResponse(reply, outcome.begun) as never
        request.idempotencyKey = key
        const { record, created, inImage } = outcome
        if (created) await trigger.recordAdded(record, request.log)
        const published = await publish(record, request.query.publish, signal)
        reply.header('location', `/v1/records/${record.id}`)
        return reply.code(created ? 201 : 200).send({ ...recordView(published), ...(inImage && { inImage }) })
      },
    )
  }

  function checkSize(bytes: number): void {
    if (bytes <= recordBytes) return
    const why = `the record has more than ${recordBytes} bytes; RECORD_BROKER_MAX_RECORD_BYTES allows no more`
    throw new HttpError(413, 'RECORD_TOO_LARGE', why)
  }

  async function publish(
    record: StoredRecord,
    where: string | undefined,
    signal: AbortSignal,
  ): Promise<StoredRecord> {
    if (where === undefined || where === 'false') return record
    const place = where === 'true' ? {} : { reference: where }
    await analyses.publish({ record: record.id, ...place }, { signal }).catch((error: Error) => {
      throw storedOnly(error, record.id)
    })
    const { publications } = (await records.get(record.id)) ?? record
    return { ...record, publications }
  }
}

/** The upload succeeded, what followed did not: the caller learns both. */
function storedOnly(error: Error, recordId: string): Error {
  const { status, code, detail } = problemOf(error)
  if (status === 500) return error
  const told = new HttpError(status, code, `the record is stored, and not published: ${detail}`, { recordId })
  const { retryAfterMs } = error as { retryAfterMs?: unknown }
  return Object.assign(told, typeof retryAfterMs === 'number' && { retryAfterMs })
}
