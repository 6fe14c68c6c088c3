import fc from 'fast-check'
import { expect, it } from 'vitest'
import { EventStreamParser } from './event-stream-parser.ts'

const STREAM = [
  ': a comment\n\n',
  'event: queued\nid: 1\ndata: {"a":1}\n\n',
  'data:first\r\ndata:  second\r\n\r\n',
  'id: 2\r\r',
  'unknown: field\nretry: 1500\nretry: x\nid: a\0b\nevent\ndata\n\n',
  'id\ndata: [1]\n\n',
  'data: cut off',
].join('')

const EVENTS = [
  { id: '1', event: 'queued', data: '{"a":1}' },
  { event: 'message', data: 'first\n second' },
  { event: 'message', data: '' },
  { id: '', event: 'message', data: '[1]' },
]

it('parses fields, line ends and comments as the HTML standard says', () => {
  const parser = new EventStreamParser()
  expect(parser.feed(STREAM)).toEqual(EVENTS)
  expect([parser.lastEventId, parser.retryMs]).toEqual(['', 1500])
})

it('keeps an id that comes without data, and those of events', () => {
  const parser = new EventStreamParser()
  parser.feed('id: 7\ndata: 1\n\n')
  expect(parser.lastEventId).toBe('7')
  expect(parser.feed('id: 9\n\ndata: progress\n\n')).toEqual([{ event: 'message', data: 'progress' }])
  expect(parser.lastEventId).toBe('9')
})

it('gives the same events however the text is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: STREAM.length })), (cuts) => {
      const parser = new EventStreamParser()
      const ends = [...cuts.toSorted((a, b) => a - b), STREAM.length]
      const pieces = ends.map((end, i) => STREAM.slice(ends[i - 1] ?? 0, end))
      expect(pieces.flatMap((piece) => parser.feed(piece))).toEqual(EVENTS)
    }),
  )
})

it('refuses lines and events that are too long, and holds no more than that', () => {
  for (const endless of ['data: x', 'data: x\n', ': comment', 'name']) {
    const parser = new EventStreamParser(100)
    expect(() => {
      for (let n = 0; n < 100; n++) parser.feed(endless)
    }).toThrow(expect.objectContaining({ code: 'INVALID_RESPONSE' }))
  }
})
