import { DistributionError } from './errors.ts'
import type { ByteRange } from './uploads.ts'

/**
 * The part of a blob that a `Range` header asks for (RFC 9110, 14.2), both ends included. Undefined means
 * the whole: no header, several ranges, another unit, or a header that cannot be read.
 * @throws DistributionError RANGE_INVALID (416) when the part lies outside, or ends before it starts
 */
export function parseRange(header: string | undefined, size: number): ByteRange | undefined {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1)
  if (start > end) {
    const headers = { 'content-range': `bytes */${size}` }
    throw new DistributionError('RANGE_INVALID', 416, `the blob has ${size} bytes`, { headers })
  }
  return { start, end }
}

/**
 * The place of an upload's chunk: `<first>-<last>` (OCI distribution-spec 1.1 "Pushing a blob in chunks");
 * the form of RFC 9110, `bytes <first>-<last>/<size>`, is understood too.
 * @throws DistributionError BLOB_UPLOAD_INVALID
 */
export function parseContentRange(
  header: string | undefined,
  length: string | undefined,
): ByteRange | undefined {
  if (header === undefined) return undefined
  const [, first, last] = /^(?:bytes )?(\d{1,15})-(\d{1,15})(?:\/(?:\d+|\*))?$/.exec(header) ?? []
  const start = Number(first)
  const end = Number(last)
  if (Number.isNaN(start) || end < start) {
    const message = `Content-Range ${JSON.stringify(header.slice(0, 100))} is not <first>-<last>`
    throw new DistributionError('BLOB_UPLOAD_INVALID', 400, message)
  }
  if (length !== undefined && Number(length) !== end - start + 1) {
    const message = `Content-Range ${header} and Content-Length ${length} disagree`
    throw new DistributionError('SIZE_INVALID', 400, message)
  }
  return { start, end }
}
