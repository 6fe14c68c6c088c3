import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { describeView, drawFrame, type FrameOptions } from './frame.ts'
import { overallOf, type ProgressBar, type ProgressView, waitingView } from './progress-view.ts'

const bar = (id: string, more: Partial<ProgressBar> = {}): ProgressBar => ({
  id,
  label: id,
  state: 'converting',
  phase: 'active',
  share: 0.5,
  weight: 100,
  moved: 50,
  facts: ['50 B of 100 B downloaded', '40 B uploaded'],
  ...more,
})
const view = (bars: readonly ProgressBar[]): ProgressView => ({
  title: 'converting r.test/app:1',
  unit: 'layer',
  bars,
  overall: overallOf(bars),
  facts: ['60 B of 200 B downloaded'],
})
const options = (more: Partial<FrameOptions> = {}): FrameOptions => ({
  columns: 140,
  rows: 24,
  elapsedMs: 7_000,
  total: { share: 0.25, bytesPerSecond: 2048, leftMs: 65_000 },
  paceOf: () => ({ bytesPerSecond: 1024, leftMs: 3_000 }),
  hasColors: false,
  ...more,
})

describe('a frame', () => {
  it('has a line for everything and a line for each bar', () => {
    const bars = [
      bar('0123456789ab'),
      bar('ba', { phase: 'done', share: 1, state: 'done', facts: ['9 B to 8 B'] }),
    ]
    expect(drawFrame(view(bars), options())).toEqual([
      'converting r.test/app:1 [#####---------------]  25% 1 of 2 layers done 2.00 KiB/s 1:05 left',
      '  0123456789ab [##########----------]  50% converting 50 B of 100 B downloaded 40 B uploaded 1.00 KiB/s 0:03 left',
      '  ba           [####################] 100% done 9 B to 8 B',
    ])
  })

  it('gives all bars one width', () => {
    const bars = [bar('a'), bar('b', { phase: 'done', share: 1, state: 'done', facts: ['9 B to 8 B'] })]
    expect(drawFrame(view(bars), options({ columns: 80 })).slice(1)).toEqual([
      '  a [####----]  50% converting 50 B of 100 B downloaded 1.00 KiB/s 0:03 left',
      '  b [########] 100% done 9 B to 8 B',
    ])
  })

  it('leaves out the least important parts in a narrow terminal, and never wraps', () => {
    const bars = [bar('0123456789ab')]
    for (let columns = 1; columns < 140; columns++) {
      for (const line of drawFrame(view(bars), options({ columns }))) {
        expect(line.length).toBeLessThan(Math.max(2, columns))
      }
    }
    expect(drawFrame(view(bars), options({ columns: 60 }))[1]).toBe(
      '  0123456789ab [####----]  50% converting',
    )
    expect(drawFrame(view(bars), options({ columns: 12 }))).toEqual(['conve~  25%', '  012~  50%'])
  })

  it('shows the active bars and a summary if there are more bars than lines', () => {
    const bars = [
      ...Array.from({ length: 5 }, (_, i) => bar(`done${i}`, { phase: 'done', share: 1 })),
      ...Array.from({ length: 3 }, (_, i) => bar(`active${i}`)),
      ...Array.from({ length: 9 }, (_, i) => bar(`waiting${i}`, { phase: 'waiting', share: 0 })),
    ]
    const lines = drawFrame(view(bars), options({ rows: 8 }))
    expect(lines).toHaveLength(7)
    expect(lines.slice(1, -1).map((line) => line.trim().split(' ')[0])).toEqual([
      'active0',
      'active1',
      'active2',
      'waiting0',
      'waiting1',
    ])
    expect(lines.at(-1)).toBe('  12 more layers: 7 waiting, 5 done')
    expect(drawFrame(view(bars), options({ rows: 1 }))).toHaveLength(1)
  })

  it('has colours only where the terminal shows them', () => {
    const [colored = ''] = drawFrame(view([bar('a')]), options({ hasColors: true }))
    const [plain = ''] = drawFrame(view([bar('a')]), options())
    expect(colored).toContain('\u001b[32m#####\u001b[39m')
    expect(stripVTControlCharacters(colored)).toBe(plain)
  })

  it('shows the time while nothing can be counted', () => {
    expect(drawFrame(waitingView('waiting for x'), options())).toEqual(['waiting for x 0:07'])
  })
})

describe('a line for logs', () => {
  it('says everything in one line', () => {
    expect(describeView(view([bar('a')]), options().total, 7_000)).toBe(
      'converting r.test/app:1: 25%, 0 of 1 layer done, 60 B of 200 B downloaded, 2.00 KiB/s, 1:05 left',
    )
    expect(describeView(waitingView('waiting for x'), options().total, 7_000)).toBe('waiting for x (0:07)')
  })
})
