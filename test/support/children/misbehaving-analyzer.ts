/** An analyzer process whose tasks misbehave as a hostile record or image might make them. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Analyses, AnalysisContext } from '../../../src/analysis/analyses.ts'
import { serveAnalyses } from '../../../src/analysis/serve-analyses.ts'

process.once('disconnect', () => process.exit(0))

async function* createPieces(count: number): AsyncGenerator<Uint8Array> {
  for (let n = 0; n < count; n++) yield Buffer.alloc(100_000, n)
}

const misbehavingAnalyses = {
  /** Returns the number of bytes of its input. */
  upload: async (_request: unknown, { input }: { input: AsyncIterable<Uint8Array> }) => {
    let bytes = 0
    for await (const piece of input) bytes += piece.length
    return { bytes, pid: process.pid }
  },
  /** Fails after the first piece of its input. */
  retarget: async (_request: unknown, { input }: { input: AsyncIterable<Uint8Array> }) => {
    for await (const _ of input) throw Object.assign(new Error('no'), { code: 'INVALID_RECORD', line: 3 })
  },
  readContent: async ({ count }: { count: number }) => createPieces(count),
  inspect: async () => createPieces(Number.POSITIVE_INFINITY),
  /** Blocks the thread forever. */
  evaluate: async () => {
    for (;;);
  },
  /** Waits until it is aborted. */
  publish: async (_request: unknown, { signal }: AnalysisContext) => {
    await delay(2 ** 30, undefined, { signal })
  },
  /** Allocates memory outside the heap without a bound. */
  readRecordImage: async () => {
    const buffers: Buffer[] = []
    for (;;) buffers.push(Buffer.alloc(2 ** 24, 1))
  },
  /** Allocates heap memory without a bound. */
  refreshCatalogue: async () => {
    const arrays: number[][] = []
    for (;;) arrays.push(Array.from({ length: 10_000 }, (_, n) => n + 0.5))
  },
  diff: async () => process.exit(7),
  merge: async () => {
    throw new Error('a defect')
  },
  checkPlatforms: async () => ({ pid: process.pid }),
}

serveAnalyses(
  misbehavingAnalyses as unknown as Analyses,
  {
    send: (message) => void process.send?.(message, undefined, undefined, () => undefined),
    onMessage: (listener) => void process.on('message', listener),
  },
  { log: { error: () => undefined } },
)
