import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonItems } from './json-items.ts'

const o = { key: 'entries', mostBytes: 2 ** 20 }

/** The items and what is around them, of a document in parts of so many bytes. */
function cut(document: string, partBytes = Number.POSITIVE_INFINITY, options = o) {
  const bytes = Buffer.from(document)
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length; at += partBytes) parts.push(bytes.subarray(at, at + partBytes))
  const found = jsonItems(parts, options)
  const items: unknown[] = []
  for (;;) {
    const next = found.next()
    if (next.done) return { items, around: JSON.parse(next.value) }
    items.push(JSON.parse(next.value))
  }
}

describe('jsonItems', () => {
  it('cuts any array into what JSON.parse finds in it, however the document comes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue()),
        fc.dictionary(
          fc.string().filter((key) => key !== 'entries'),
          fc.jsonValue(),
        ),
        fc.constantFrom(undefined, 1, 2),
        fc.integer({ min: 1, max: 30 }),
        (entries, rest, space, partBytes) => {
          const document = JSON.stringify({ ...rest, entries, version: 1 }, undefined, space)
          const whole = JSON.parse(document)
          expect(cut(document, partBytes)).toEqual({
            items: whole.entries,
            around: { ...whole, entries: [] },
          })
        },
      ),
    )
  })

  it.each<[string, string]>([
    ['a key in a text', '{"a":"\\"entries\\":[","entries":[1]}'],
    ['a text that ends like the key', '{"a,\\"entries":[7],"entries":[1]}'],
    ['an array of that name further inside', '{"a":{"entries":[7]},"entries":[1]}'],
  ])('is not misled by %s', (_, document) => {
    expect(cut(document).items).toEqual([1])
    expect(cut(document, 1)).toEqual(cut(document))
  })

  it.each([
    '',
    '{',
    '{"entries":[1}',
    '{"entries":[1,]}',
    '{"entries":[,1]}',
    '{"entries":[1 2]}',
    '{"entries":[1]]',
    '{"entries":[1],"entries":[2]}',
    '{"entries":["a]}',
    '{"entries":[1]}}',
    '{"entries":[1]} x',
  ])('takes %j for no JSON', (document) => {
    expect(() => cut(document)).toThrow(SyntaxError)
    expect(() => cut(document, 1)).toThrow(SyntaxError)
  })

  it('leaves what is no array where it is', () => {
    expect(cut('{"entries":null}')).toEqual({ items: [], around: { entries: null } })
    expect(cut('[["entries",[1]]]')).toEqual({ items: [], around: [['entries', [1]]] })
  })

  it('gathers no more of an item than it may', () => {
    const long = `{"entries":["${'x'.repeat(5000)}"]}`
    expect(() => cut(long, 100, { ...o, mostBytes: 1000 })).toThrow(/larger than anything/)
    expect(cut(long, 100).items).toEqual(['x'.repeat(5000)])
  })
})
