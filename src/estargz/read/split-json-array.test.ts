import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { splitJsonArray } from './split-json-array.ts'

const OPTIONS = { key: 'entries', maxItemBytes: 2 ** 20 }

/** Splits a document in parts of a size. Returns the parsed items and the parsed document without them. */
function split(document: string, partBytes = Number.POSITIVE_INFINITY, options = OPTIONS) {
  const bytes = Buffer.from(document)
  const parts: Buffer[] = []
  for (let start = 0; start < bytes.length; start += partBytes) {
    parts.push(bytes.subarray(start, start + partBytes))
  }
  const generator = splitJsonArray(parts, options)
  const items: unknown[] = []
  for (;;) {
    const next = generator.next()
    if (next.done) return { items, remainder: JSON.parse(next.value) }
    items.push(JSON.parse(next.value))
  }
}

describe('jsonItems', () => {
  it('yields the items that JSON.parse finds, however the document is cut into parts', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue()),
        fc.dictionary(
          fc.string().filter((key) => key !== 'entries'),
          fc.jsonValue(),
        ),
        fc.constantFrom(undefined, 1, 2),
        fc.integer({ min: 1, max: 30 }),
        (entries, otherMembers, space, partBytes) => {
          const document = JSON.stringify({ ...otherMembers, entries, version: 1 }, undefined, space)
          const parsed = JSON.parse(document)
          expect(split(document, partBytes)).toEqual({
            items: parsed.entries,
            remainder: { ...parsed, entries: [] },
          })
        },
      ),
    )
  })

  it.each<[string, string]>([
    ['the key inside a string', '{"a":"\\"entries\\":[","entries":[1]}'],
    ['a string that ends like the key', '{"a,\\"entries":[7],"entries":[1]}'],
    ['an array with the same key at a deeper level', '{"a":{"entries":[7]},"entries":[1]}'],
  ])('is not misled by %s', (_, document) => {
    expect(split(document).items).toEqual([1])
    expect(split(document, 1)).toEqual(split(document))
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
  ])('rejects %j', (document) => {
    expect(() => split(document)).toThrow(SyntaxError)
    expect(() => split(document, 1)).toThrow(SyntaxError)
  })

  it('returns a document without the array unchanged', () => {
    expect(split('{"entries":null}')).toEqual({ items: [], remainder: { entries: null } })
    expect(split('[["entries",[1]]]')).toEqual({ items: [], remainder: [['entries', [1]]] })
  })

  it('rejects an item above the limit', () => {
    const long = `{"entries":["${'x'.repeat(5000)}"]}`
    expect(() => split(long, 100, { ...OPTIONS, maxItemBytes: 1000 })).toThrow(/too large/)
    expect(split(long, 100).items).toEqual(['x'.repeat(5000)])
  })
})
