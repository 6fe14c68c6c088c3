import { Readable } from 'node:stream'
import type { ResponseDocument } from '../../client/broker-request.ts'
import { uploadRecord } from '../../client/upload-record.ts'
import type { RecordFormat } from '../../records/model.ts'
import type { BrokerContext } from '../broker/with-broker.ts'
import { uploadProgressView } from '../conversions/conversion-view.ts'
import { openProfile } from './profile-file.ts'

/** The options that say what a profile is about, and how to read it. */
export type ProfileOptions = {
  readonly image?: string | undefined
  readonly workload?: string
  readonly format?: RecordFormat
  readonly workingDirectory?: string
  readonly root?: string | undefined
  readonly exclude?: string[]
  readonly label?: string[]
  readonly publish?: string | true
}

/** Returns the query that these options fill. */
export function profileQuery(options: ProfileOptions) {
  const { image, workload, format, workingDirectory, root, exclude, label: labels, publish } = options
  return {
    ...(image !== undefined && { image }),
    ...(workload !== undefined && { workload }),
    ...(format !== undefined && { format }),
    ...(workingDirectory !== undefined && { workingDirectory }),
    ...(root !== undefined && { root }),
    ...(exclude && { exclude }),
    ...(labels && { label: labels }),
    ...(publish !== undefined && { publish: publish === true ? 'true' : publish }),
  }
}

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
