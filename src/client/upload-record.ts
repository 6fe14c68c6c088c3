import type { BrokerClient } from './broker-client.ts'
import type { CommonOptions, RequestOptions, ResponseDocument } from './broker-request.ts'

/** A profile: text, bytes, a file of a form, or a stream. Only a stream cannot be sent again after a failure. */
export type Profile = string | Uint8Array | Blob | ReadableStream<Uint8Array>

export type UploadOptions = NonNullable<NonNullable<RequestOptions<'post', '/v1/records'>['params']>['query']>

type ProfileForm = {
  /** The type of the profile. Default: `text/plain`; the broker detects its format. */
  readonly contentType?: 'text/plain' | 'application/x-ndjson' | 'application/json' | 'text/csv'
  /** How the profile is compressed. Default: it is not. */
  readonly contentEncoding?: 'gzip' | 'deflate' | 'br' | 'zstd' | undefined
}

/**
 * Uploads a record as the profiler wrote it.
 * @param query the image and workload of the record, and how to read the profile
 * @throws BrokerError
 */
export function uploadRecord(
  client: BrokerClient,
  profile: Profile,
  query: UploadOptions = {},
  { contentType = 'text/plain', contentEncoding, headers, ...options }: ProfileForm & CommonOptions = {},
): Promise<ResponseDocument<'post', '/v1/records'>> {
  return client.post('/v1/records', {
    ...options,
    params: { query },
    headers: {
      'content-type': contentType,
      ...(contentEncoding && { 'content-encoding': contentEncoding }),
      ...headers,
    },
    // The document describes the body as text. The client sends bytes and streams as they are.
    body: profile as string,
  })
}
