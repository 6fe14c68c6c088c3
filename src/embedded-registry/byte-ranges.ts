import { DistributionError } from './errors.ts'

/** First and last byte, both inclusive, as in Range and Content-Range. */
export type ByteRange = { readonly start: number; readonly end: number }

/**
 * Parses the `Range` header of a request for a blob of `size` bytes (RFC 9110, 14.2).
 * @returns undefined for the whole blob: without the header, or if it is malformed, has several ranges or
 * another unit
 * @throws DistributionError RANGE_INVALID (416) if the range is outside the blob, or ends before it starts
 */
export function parseRange(header: string | undefined, size: number): ByteRange | undefined {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1)
  if (start > end) {
    const headers = { 'content-range': `bytes */${size}` }
    const message = `the range is outside the blob, which has ${size} bytes`
    throw new DistributionError('RANGE_INVALID', 416, message, { headers })
  }
  return { start, end }
}

/**
 * Parses the `Content-Range` of an upload chunk: `<first>-<last>` (OCI distribution-spec 1.1 "Pushing a blob
 * in chunks"), or `bytes <first>-<last>/<size>` (RFC 9110).
 * @param length the Content-Length
 * @throws DistributionError BLOB_UPLOAD_INVALID, SIZE_INVALID
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
    const message = `Content-Range ${header} does not match Content-Length ${length}`
    throw new DistributionError('SIZE_INVALID', 400, message)
  }
  return { start, end }
}
