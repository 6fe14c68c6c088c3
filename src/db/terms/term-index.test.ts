import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../../test/support/databases.ts'
import { itemId, minItemId } from './item-id.ts'
import { TermIndex } from './term-index.ts'
import type { TermQuery } from './term-query.ts'
import { wordsOf } from './words.ts'

/** More than the limits of the index: it gathers 500 items, and counts 2000. */
const COUNT = 4500

const timeOf = (n: number) => 1_700_000_000_000 + n * 1000

describeDatabases('an index of terms', (open) => {
  let opened: TestDatabase
  let index: TermIndex
  /** The ids of the items, oldest first. */
  const ids = Array.from({ length: COUNT }, (_, n) => itemId(timeOf(n), `item ${n}`))

  beforeAll(async () => {
    opened = await open()
    const { database } = opened
    index = new TermIndex(database, 'catalogue_image_terms')
    const terms = (n: number) => [
      ...['all', `half ${n % 2}`, `thousand ${n % 1000}`, 'word common', `word number${n}`],
      ...(n % 7 === 0 ? ['word seventh'] : []),
    ]
    for (let start = 0; start < COUNT; start += 500) {
      const numbers = Array.from({ length: 500 }, (_, n) => start + n)
      const rows = numbers.map((n) => {
        const id = ids[n] ?? ''
        const known = { location: 'l', tag: '', digest: 'd', kind: 'record' as const, is_read: 1 }
        return { ...known, id, reference: id, document: '{}', seen_at: 0, compared_at: 0 }
      })
      await database.query.insertInto('catalogue_images').values(rows).execute()
      const all = numbers.flatMap((n) => terms(n).map((term) => ({ term, item: ids[n] ?? '' })))
      await database.query.insertInto('catalogue_image_terms').values(all).execute()
    }
  }, 120_000)
  afterAll(() => opened.close())

  /** The items that match, newest first, by a plain search. */
  const matching = (isMatch: (n: number) => boolean) => ids.filter((_, n) => isMatch(n)).reverse()

  const readAll = async (query: Omit<TermQuery, 'all'>, limit: number) => {
    const found: string[] = []
    let after: string | undefined
    let pages = 0
    for (;;) {
      const page = await index.find({ all: 'all', ...query }, { limit, after })
      expect(page.ids.length).toBeLessThanOrEqual(limit)
      found.push(...page.ids)
      pages += 1
      if (!page.hasMore) return { found, pages, total: page.total }
      after = page.ids.at(-1)
    }
  }

  it.each<[string, Omit<TermQuery, 'all'>, (n: number) => boolean]>([
    ['a rare term', { filters: [{ anyOf: ['thousand 7'] }] }, (n) => n % 1000 === 7],
    ['a frequent term', { filters: [{ anyOf: ['half 1'] }] }, (n) => n % 2 === 1],
    [
      'one of several terms',
      { filters: [{ anyOf: ['thousand 1', 'half 0'] }] },
      (n) => n % 2 === 0 || n % 1000 === 1,
    ],
    [
      'several rare terms',
      { filters: [{ anyOf: ['thousand 1', 'thousand 2'] }] },
      (n) => n % 1000 === 1 || n % 1000 === 2,
    ],
    [
      'two frequent terms',
      { filters: [{ anyOf: ['half 0'] }, { anyOf: ['word seventh'] }] },
      (n) => n % 14 === 0,
    ],
    [
      'terms that exclude each other',
      { filters: [{ anyOf: ['half 0'] }, { anyOf: ['half 1'] }] },
      () => false,
    ],
    [
      'a rare and a frequent term',
      { filters: [{ anyOf: ['half 0'] }, { anyOf: ['thousand 8'] }] },
      (n) => n % 1000 === 8,
    ],
    ['a prefix of one word', { filters: [{ prefix: 'word sev' }] }, (n) => n % 7 === 0],
    [
      'a prefix of some words',
      { filters: [{ prefix: 'word number100' }] },
      (n) => String(n).startsWith('100'),
    ],
    [
      'a prefix of very many words',
      { filters: [{ prefix: 'word number1' }] },
      (n) => String(n).startsWith('1'),
    ],
    ['a prefix of no word', { filters: [{ prefix: 'word numbr' }] }, () => false],
    [
      'an excluded term',
      { filters: [], noneOf: ['half 0', 'word seventh'] },
      (n) => n % 2 === 1 && n % 7 !== 0,
    ],
    [
      'a time',
      { filters: [], from: minItemId(timeOf(100)), below: minItemId(timeOf(110)) },
      (n) => n >= 100 && n < 110,
    ],
    [
      'a time and a prefix of very many words',
      { filters: [{ prefix: 'word number' }], from: minItemId(timeOf(100)), below: minItemId(timeOf(900)) },
      (n) => n >= 100 && n < 900,
    ],
  ])('finds %s in pages, newest first', async (_name, query, isMatch) => {
    const expected = matching(isMatch)
    const { found, total } = await readAll(query, 400)
    expect(found).toEqual(expected)
    expect(total.count).toBeLessThanOrEqual(expected.length)
    if (!total.isLowerBound) expect(total.count).toBe(expected.length)
  })

  it('counts exactly up to 2000', async () => {
    const count = async (query: Omit<TermQuery, 'all'>) =>
      (await index.find({ all: 'all', ...query }, { limit: 1 })).total
    expect(await count({ filters: [] })).toEqual({ count: 2000, isLowerBound: true })
    expect(await count({ filters: [{ anyOf: ['word seventh'] }] })).toEqual({
      count: Math.ceil(COUNT / 7),
      isLowerBound: false,
    })
    expect(await count({ filters: [{ anyOf: ['thousand 3'] }] })).toEqual({ count: 5, isLowerBound: false })
    expect(await count({ filters: [{ anyOf: ['none'] }] })).toEqual({ count: 0, isLowerBound: false })
  })

  it('returns the newest item and the number of items of many terms', async () => {
    expect(await index.newestOf(['thousand 5', 'none'])).toEqual(new Map([['thousand 5', ids[4005]]]))
    expect(await index.countEach(['thousand 5', 'thousand 600', 'none'], 4)).toEqual(
      new Map([
        ['thousand 5', 4],
        ['thousand 600', 4],
        ['none', 0],
      ]),
    )
  })

  it('forgets the terms of an item with its row, and replaces them', async () => {
    const { database } = opened
    const [first = '', second = ''] = ids
    await database.query.deleteFrom('catalogue_images').where('id', '=', first).execute()
    await database.transaction((transaction) => index.put(transaction, second, ['all', 'thousand 0']))
    const { found } = await readAll({ filters: [{ anyOf: ['thousand 0'] }] }, 100)
    expect(found).toEqual([...matching((n) => n % 1000 === 0 && n > 0), second])
    expect((await readAll({ filters: [{ anyOf: ['thousand 1'] }] }, 100)).found).not.toContain(second)
  })
})

it('words are runs of letters and digits in lower case', () => {
  expect(wordsOf('Team/App-17:record-1.0_serve', undefined, 'SERVE Größe')).toEqual([
    'team',
    'app',
    '17',
    'record',
    '1',
    '0',
    'serve',
    'größe',
  ])
})

it('ids of items sort by time, however far in the future', () => {
  const times = [0, 1, 999, 1_700_000_000_000, 253_402_300_799_999]
  const ids = times.map((time) => itemId(time, 'name'))
  expect(ids.toSorted()).toEqual(ids)
  expect(itemId(-1, 'name')).toBe(itemId(0, 'name'))
  expect(minItemId(999) < itemId(999, 'a')).toBe(true)
  expect(minItemId(1000) > itemId(999, 'a')).toBe(true)
})
