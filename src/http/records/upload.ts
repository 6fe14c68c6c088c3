import type { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import type { z } from 'zod'
import type { Caller } from '../../access/caller.ts'
import { AccessError } from '../../access/errors.ts'
import type { AnalysisContext } from '../../analysis/analyses.ts'
import {
  CONTENT_ENCODINGS,
  type ContentEncoding,
  parseContentEncoding,
} from '../../bytes/content-encoding.ts'
import { isDigest } from '../../oci/digest.ts'
import { FoundInImage } from '../../records/evaluation.ts'
import type { StoredRecord } from '../../records/stored-record.ts'
import { analysisContext } from '../access/analysis-context.ts'
import { assertImageReadable } from '../access/named-image.ts'
import { assertPlaceAllows, type UsedImages } from '../access/project-placement.ts'
import { requires } from '../access/security.ts'
import { idempotencyKeyOf, requestLine } from '../idempotency/hook.ts'
import { replayResponse } from '../idempotency/replay.ts'
import { canonicalImage, parseLabels } from '../parameters.ts'
import { HttpError, problemOf, problemResponses } from '../problem.ts'
import type { RuleEngine } from '../pushes/rule-engine.ts'
import type { Services } from '../services.ts'
import { UploadQuery } from './upload-parameters.ts'
import { RecordView, recordView } from './view.ts'

const CONTENT_TYPES = ['application/x-ndjson', 'text/plain', 'application/json', 'text/csv']

/** The supported content codings in the form of `Accept-Encoding` (RFC 9110, 15.5.16). */
const SUPPORTED_ENCODINGS = CONTENT_ENCODINGS.join(', ')

const UploadedRecord = RecordView.extend({ inImage: FoundInImage.optional() }).meta({
  id: 'UploadedRecord',
  description: 'An uploaded record, and how many of its paths the profiled image has.',
})

type UploadServices = Pick<
  Services,
  'analyses' | 'records' | 'names' | 'projects' | 'spool' | 'maxRecordBytes'
>

/** `POST /v1/records`. The body is the record itself and is streamed. */
export function recordUploadRoute(services: UploadServices, ruleEngine: RuleEngine): FastifyPluginAsyncZod {
  const { analyses, records, names, spool, maxRecordBytes } = services
  return async (app) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser(CONTENT_TYPES, (_request, body, done) => done(null, body))
    // Rejects all other types, with a message that lists the supported ones.
    app.addContentTypeParser('*', (_request, _body, done) => {
      done(new HttpError(415, 'UNSUPPORTED_TYPE', `send the record as ${CONTENT_TYPES.join(' or ')}`))
    })
    app.post(
      '/v1/records',
      {
        config: { hasOwnFingerprint: true },
        schema: {
          tags: ['records'],
          operationId: 'uploadRecord',
          security: requires('records:write'),
          summary: 'Upload a record',
          description:
            'The body is the record as the profiler wrote it: a stargz record file, a path list, a log of strace, fatrace, opensnoop, Inspektor Gadget, audit or stargz-snapshotter, or a list of nydus, SOCI or overlaybd. It may be compressed (`Content-Encoding`: gzip, deflate, br or zstd). `skipped` counts the lines that did not become entries; `warnings` describes possible errors in the profile. With `image`, `inImage` shows how many of the paths that image has. Uploading the same content for the same image and workload again returns the existing record with 200 and adds new labels to it.',
          querystring: UploadQuery,
          response: {
            200: UploadedRecord.describe('The record already existed.'),
            201: UploadedRecord.describe('The record was stored.'),
            ...problemResponses(400, 403, 409, 413, 415, 422, 429, 502, 503, 507),
          },
        },
      },
      async (request, reply) => {
        const { caller, query } = request
        assertMayPublish(caller, query)
        assertImageReadable(query.image, 'querystring.image', { caller, names })
        await assertPlaceAllows(publishedImages(query), 'result', { caller, services })
        const encoding = contentEncodingOf(request, reply)
        const body = request.body as Readable | undefined
        if (!body) {
          throw new HttpError(400, 'INVALID_RECORD', 'the request has no body; send the record as the body')
        }
        const key = idempotencyKeyOf(request)
        const upload = {
          ...uploadMetadata(query),
          encoding,
          idempotency:
            key === undefined ? undefined : { key, request: `${requestLine(request)} ${encoding ?? ''}` },
        }
        const context = analysisContext(request)
        // An error response is sent while the client still sends: the stream must not be destroyed.
        const pieces = body.iterator({ destroyOnReturn: false })
        await using input = await spool.store(pieces, assertRecordSize, context.signal)
        const result = await analyses.upload(upload, { ...context, input })
        if (result.kind === 'repeated') return replayResponse(reply, result.claim) as never
        request.idempotencyKey = key
        const { record, created, inImage } = result
        const { log, id: requestId } = request
        if (created) await ruleEngine.handleNewRecord(record, { log, requestId })
        const published = await publish(record, request, context)
        reply.header('location', `/v1/records/${record.id}`)
        return reply.code(created ? 201 : 200).send({ ...recordView(published), ...(inImage && { inImage }) })
      },
    )
  }

  function assertRecordSize(bytes: number): void {
    if (bytes <= maxRecordBytes) return
    const detail = `the record is larger than ${maxRecordBytes} bytes; raise RECORD_BROKER_MAX_RECORD_BYTES`
    throw new HttpError(413, 'RECORD_TOO_LARGE', detail)
  }

  async function publish(
    record: StoredRecord,
    { query, caller }: { readonly query: z.infer<typeof UploadQuery>; readonly caller: Caller },
    context: AnalysisContext,
  ): Promise<StoredRecord> {
    const { publish: target = 'false', overwrite } = query
    if (target === 'false') return record
    const publication = {
      record: record.id,
      ...(target !== 'true' && { reference: target }),
      overwrite: overwrite === 'true',
    }
    await analyses.publish(publication, context).catch((error: Error) => {
      throw publishingFailed(error, record.id)
    })
    const { publications } = (await records.in(caller.projectScope).get(record.id)) ?? record
    return { ...record, publications }
  }
}

/** @throws AccessError ACCESS_DENIED */
function assertMayPublish(caller: Caller, { publish = 'false' }: z.infer<typeof UploadQuery>): void {
  if (publish === 'false' || caller.has('record-images:write')) return
  throw new AccessError('ACCESS_DENIED', 'to publish the record, too, needs the scope record-images:write')
}

/** The images that an upload uses to publish the record. A place in the backing registry has no name yet. */
function publishedImages({ image, publish = 'false' }: z.infer<typeof UploadQuery>): UsedImages {
  if (publish === 'false') return {}
  return {
    read: image === undefined || isDigest(image) ? [] : [image],
    written: publish === 'true' ? [] : [publish],
  }
}

/** @throws HttpError UNSUPPORTED_ENCODING */
function contentEncodingOf(request: FastifyRequest, reply: FastifyReply): ContentEncoding | undefined {
  const encoding = parseContentEncoding(request.headers['content-encoding'])
  if (encoding !== 'unknown') return encoding
  reply.header('accept-encoding', SUPPORTED_ENCODINGS)
  const detail = `this Content-Encoding is not supported; send the record uncompressed, or as ${SUPPORTED_ENCODINGS}`
  throw new HttpError(415, 'UNSUPPORTED_ENCODING', detail)
}

function uploadMetadata({
  image,
  exclude,
  label,
  publish: _,
  overwrite: __,
  ...query
}: z.infer<typeof UploadQuery>) {
  return {
    ...query,
    image: image === undefined ? undefined : canonicalImage(image),
    exclude: exclude === undefined ? undefined : [exclude].flat(),
    labels: parseLabels(label),
  }
}

/** The error for a record that was stored but could not be published. It contains the record's id. */
function publishingFailed(error: Error, recordId: string): Error {
  const { status, code, detail } = problemOf(error)
  if (status === 500) return error
  const message = `the record was stored, but publishing it failed: ${detail}`
  const { retryAfterMs } = error as { retryAfterMs?: unknown }
  return Object.assign(
    new HttpError(status, code, message, { recordId }),
    typeof retryAfterMs === 'number' && { retryAfterMs },
  )
}
