import { describe, expect, it } from 'vitest'
import { parseContentRange, parseRange } from './byte-ranges.ts'

describe('parseRange', () => {
  it.each([
    ['bytes=0-0', { start: 0, end: 0 }],
    ['bytes=5-', { start: 5, end: 9 }],
    ['bytes=5-100', { start: 5, end: 9 }],
    ['bytes=-3', { start: 7, end: 9 }],
    ['bytes=-100', { start: 0, end: 9 }],
    [undefined, undefined],
    ['bytes=-', undefined],
    ['bytes=0-1,4-5', undefined],
    ['items=0-1', undefined],
  ])('%s of 10 bytes', (header, range) => expect(parseRange(header, 10)).toEqual(range))

  it.each(['bytes=10-', 'bytes=10-20', 'bytes=-0', 'bytes=5-4'])(
    'rejects %s as outside the blob',
    (header) => {
      expect(() => parseRange(header, 10)).toThrow(
        expect.objectContaining({ status: 416, headers: { 'content-range': 'bytes */10' } }),
      )
    },
  )
})

describe('parseContentRange', () => {
  it.each([
    ['0-9', '10', { start: 0, end: 9 }],
    ['10-19', undefined, { start: 10, end: 19 }],
    ['bytes 10-19/*', '10', { start: 10, end: 19 }],
    [undefined, '10', undefined],
  ])('%s with the length %s', (header, length, range) =>
    expect(parseContentRange(header, length)).toEqual(range),
  )

  it.each([
    ['0-9', '11', 'SIZE_INVALID'],
    ['9-0', undefined, 'BLOB_UPLOAD_INVALID'],
    ['-9', undefined, 'BLOB_UPLOAD_INVALID'],
    ['a-b', undefined, 'BLOB_UPLOAD_INVALID'],
    [`0-${'9'.repeat(30)}`, undefined, 'BLOB_UPLOAD_INVALID'],
  ])('rejects %s with the length %s', (header, length, code) => {
    expect(() => parseContentRange(header, length)).toThrow(expect.objectContaining({ code }))
  })
})
