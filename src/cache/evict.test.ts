import { describe, expect, it } from 'vitest'
import { shareExcess } from './evict.ts'

describe('the entries that projects lose when the cache is full', () => {
  const losses = (counts: Readonly<Record<string, number>>, limit: number) =>
    Object.fromEntries(
      shareExcess(
        Object.entries(counts).map(([project, entries]) => ({ project, entries })),
        limit,
      ).map(({ project, excess }) => [project, excess]),
    )

  it.each([
    ['none below the limit', { a: 5, b: 4 }, 10, {}],
    ['those of the only project', { a: 12 }, 10, { a: 2 }],
    ['those of the project with the most', { a: 9, b: 3 }, 10, { a: 2 }],
    ['nothing of what fits into equal shares', { a: 500, b: 5, c: 1 }, 12, { a: 494 }],
    ['equal parts of equal projects', { a: 8, b: 8 }, 10, { a: 3, b: 3 }],
    ['all without room', { a: 2, b: 1 }, 0, { a: 2, b: 1 }],
  ])('are %s', (_, counts, limit, expected) => {
    expect(losses(counts, limit)).toEqual(expected)
  })

  it('leave the limit used', () => {
    for (let limit = 1; limit < 40; limit++) {
      const counts = { a: 30, b: 7, c: 3, d: 1 }
      const lost = Object.values(losses(counts, limit)).reduce((sum, n) => sum + n, 0)
      expect(41 - lost).toBe(limit)
    }
  })
})
