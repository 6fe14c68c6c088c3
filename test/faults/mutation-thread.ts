/**
 * Converts damaged copies of a layer, and compares source and result with the readers of other projects. It
 * runs in a thread, so that the test can detect and terminate a conversion that hangs.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { LayerError } from '../../src/tar/layer-error.ts'
import { convertWithoutRecord } from '../support/images/convert-layer.ts'
import { buildVariedLayer } from '../support/images/varied-layer.ts'
import { EStargzReader, type ReaderEntry, type ReaderProcess } from '../support/peers/estargz-reader.ts'
import { generateMutations } from './mutations.ts'

export type MutationTask = {
  readonly compression: keyof typeof COMPRESSIONS
  readonly count: number
  readonly seed: number
  readonly folder: string
}
/** Sent before each copy, and after it with the result. */
export type MutationProgress = {
  readonly name: string
  readonly fault?: string
  readonly isConverted?: boolean
}

const COMPRESSIONS = {
  uncompressed: (tar: Buffer) => tar,
  gzip: (tar: Buffer) => gzipSync(tar),
  zstd: (tar: Buffer) => zstdCompressSync(tar, { params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
}
/**
 * Errors of a reader that is stricter than registry clients: about zstd, and about the order of hard links.
 */
const STRICTER = /corruption detected|target .* is not before it/
/** Files that eStargz adds to an archive. */
const ADDED = new Set(['stargz.index.json', '.no.prefetch.landmark'])

const { compression, count, seed, folder } = workerData as MutationTask
const report = (progress: MutationProgress) => parentPort?.postMessage(progress)
const input = join(folder, `${compression}-in`)
const output = join(folder, `${compression}-out`)

const layer = COMPRESSIONS[compression](buildVariedLayer(4096))
const program = await EStargzReader.build()
using reader = program.startProcess()
report({ name: 'unchanged', ...(await check(layer, reader)) })
for (const { name, bytes } of generateMutations(layer, count, seed)) {
  report({ name })
  const result = await check(bytes, reader)
  report({ name, ...result })
}

/**
 * Converts a layer and compares the result with its source. A layer that is rejected with a LayerError has no
 * fault.
 */
async function check(bytes: Buffer, process: ReaderProcess): Promise<Omit<MutationProgress, 'name'>> {
  let converted: Awaited<ReturnType<typeof convertWithoutRecord>>
  try {
    converted = await convertWithoutRecord(bytes, { pieceSize: 10_000, format: { chunkSize: 4096 } })
  } catch (error) {
    return error instanceof LayerError ? {} : { fault: `unexpected error: ${(error as Error).stack}` }
  }
  await writeFile(input, bytes)
  await writeFile(output, converted.blob)
  const source = await process.read('tar', input)
  const result = await process.read('tar', output)
  const lazyResult = await process.read('toc', output, converted.result.tocDigest)
  if (source.error !== undefined && STRICTER.test(source.error)) return {}
  if (result.error !== undefined) return { fault: `the result cannot be read: ${result.error}` }
  if (lazyResult.error !== undefined)
    return { fault: `the result cannot be read lazily: ${lazyResult.error}` }
  if (source.error !== undefined && !isEmpty(source.error, result.entries)) {
    return { fault: `the layer was converted although its source cannot be read: ${source.error}` }
  }
  const changed = differences(source.entries, withoutAdded(result.entries))
  const changedLazily = differences(withoutAdded(result.entries), withoutAdded(lazyResult.entries))
  const fault = [...changed, ...changedLazily].slice(0, 3).join('; ')
  return fault === '' ? { isConverted: true } : { fault: `the result differs from its source: ${fault}` }
}

/**
 * Whether the source has less than four bytes: the reader rejects it, registry clients read it as an empty
 * layer.
 */
function isEmpty(error: string, after: readonly ReaderEntry[]): boolean {
  return error === 'EOF' && withoutAdded(after).length === 0
}

/** Removes the entries that the conversion adds. */
function withoutAdded(entries: readonly ReaderEntry[]): ReaderEntry[] {
  return entries.filter(({ name }) => !ADDED.has(name))
}

function differences(before: readonly ReaderEntry[], after: readonly ReaderEntry[]): string[] {
  const [a, b] = [before, after].map(
    (entries) => new Map(entries.map((entry) => [entry.name, toText(entry)])),
  )
  const names = new Set([...(a?.keys() ?? []), ...(b?.keys() ?? [])])
  return [...names].flatMap((name) =>
    a?.get(name) === b?.get(name) ? [] : [`${name}: ${a?.get(name)} became ${b?.get(name)}`],
  )
}

/** Leaves out the chunks, which archive/tar does not have. */
function toText({ chunks: _, ...entry }: ReaderEntry): string {
  return JSON.stringify(entry)
}
