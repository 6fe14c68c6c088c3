import { Readable } from 'node:stream'
import type { ResponseDocument } from '../../client/broker-request.ts'
import { uploadRecord } from '../../client/upload-record.ts'
import type { BrokerContext } from '../broker/with-broker.ts'
import { uploadProgressView } from '../conversions/conversion-view.ts'
import { openProfile } from './profile-file.ts'

/** Uploads the output of a profiler, and shows how far the upload is. @throws CommandError; BrokerError */
export async function uploadProfile(
  { client, broker, progress, signal }: BrokerContext,
  path: string,
  query: Parameters<typeof uploadRecord>[2],
): Promise<ResponseDocument<'post', '/v1/records'>> {
  const { bytes, size, encoding } = await openProfile(path)
  let sent = 0
  progress.follow(() => uploadProgressView(`uploading ${path} to ${broker.url}`, sent, size))
  const counted = async function* () {
    for await (const piece of bytes) {
      yield piece
      sent += piece.length
    }
  }
  const body = Readable.toWeb(Readable.from(counted(), { objectMode: false }))
  return uploadRecord(client, body as ReadableStream<Uint8Array>, query, {
    contentType: 'text/plain',
    ...(encoding !== undefined && { contentEncoding: encoding }),
    signal,
  })
}
