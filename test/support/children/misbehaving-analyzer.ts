/** An analyzer process whose tasks do what a hostile record or image might make one do. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Analyses, AnalysisContext } from '../../../src/analysis/analyses.ts'
import { serveAnalyses } from '../../../src/analysis/serve-analyses.ts'

process.once('disconnect', () => process.exit(0))

async function* pieces(count: number): AsyncGenerator<Uint8Array> {
  for (let n = 0; n < count; n++) yield Buffer.alloc(100_000, n)
}

const odd = {
  /** Counts the bytes of its input. */
  upload: async (_request: unknown, { input }: { input: AsyncIterable<Uint8Array> }) => {
    let bytes = 0
    for await (const piece of input) bytes += piece.length
    return { bytes, pid: process.pid }
  },
  /** Reads one piece of its input and fails. */
  retarget: async (_request: unknown, { input }: { input: AsyncIterable<Uint8Array> }) => {
    for await (const _ of input) throw Object.assign(new Error('no'), { code: 'INVALID_RECORD', line: 3 })
  },
  readContent: async ({ count }: { count: number }) => pieces(count),
  inspect: async () => pieces(Number.POSITIVE_INFINITY),
  /** Never lets go of the thread. */
  evaluate: async () => {
    for (;;);
  },
  /** Waits until it is told to stop. */
  publish: async (_request: unknown, { signal }: AnalysisContext) => {
    await delay(2 ** 30, undefined, { signal })
  },
  /** Takes memory outside of the heap. */
  readRecordImage: async () => {
    const taken: Buffer[] = []
    for (;;) taken.push(Buffer.alloc(2 ** 24, 1))
  },
  /** Takes memory of the heap. */
  listRecordImages: async () => {
    const taken: number[][] = []
    for (;;) taken.push(Array.from({ length: 10_000 }, (_, n) => n + 0.5))
  },
  diff: async () => process.exit(7),
  merge: async () => {
    throw new Error('a defect')
  },
  checkPlatforms: async () => ({ pid: process.pid }),
}

serveAnalyses(
  odd as unknown as Analyses,
  {
    send: (message) => void process.send?.(message, undefined, undefined, () => undefined),
    onMessage: (take) => void process.on('message', take),
  },
  { error: () => undefined },
)
