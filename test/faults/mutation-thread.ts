/**
 * Converts changed copies of a layer, and has what came out read by others. A thread of its own, so that a conversion that
 * hangs can be told and ended.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { LayerError } from '../../src/tar/layer-error.ts'
import { convertWithoutRecord } from '../support/images/convert-layer.ts'
import { type ReaderProcess, EStargzReader, type ReaderEntry } from '../support/peers/estargz-reader.ts'
import { buildVariedLayer } from '../support/images/varied-layer.ts'
import { generateMutations } from './mutations.ts'

export type MutationTask = {
  readonly compression: keyof typeof PACKINGS
  readonly count: number
  readonly seed: number
  readonly folder: string
}
/** Sent before each copy, and with its fault after it. */
export type MutationProgress = { readonly name: string; readonly fault?: string; readonly isConverted?: boolean }

const PACKINGS = {
  plain: (tar: Buffer) => tar,
  gzip: (tar: Buffer) => gzipSync(tar),
  zstd: (tar: Buffer) => zstdCompressSync(tar, { params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
}
/** The reader alone refuses these: its zstd is stricter than the reference decoder, and so is its order of hard links. */
const STRICTER = /corruption detected|target .* has not come yet/
/** What eStargz adds to an archive. */
const ADDED = new Set(['stargz.index.json', '.no.prefetch.landmark'])

const { compression: packing, count, seed, folder } = workerData as MutationTask
const tell = (news: MutationProgress) => parentPort?.postMessage(news)
const input = join(folder, `${packing}-in`)
const output = join(folder, `${packing}-out`)

const packed = PACKINGS[packing](buildVariedLayer(4096))
const program = await EStargzReader.build()
using reader = program.startProcess()
tell({ name: 'unchanged', ...(await tried(packed, reader)) })
for (const { name, bytes } of generateMutations(packed, count, seed)) {
  tell({ name })
  const result = await tried(bytes, reader)
  tell({ name, ...result })
}

/** Tries one layer: whether it is converted, and what is wrong about that. */
async function tried(bytes: Buffer, by: ReaderProcess): Promise<Omit<MutationProgress, 'name'>> {
  let made: Awaited<ReturnType<typeof convertWithoutRecord>>
  try {
    made = await convertWithoutRecord(bytes, { pieceSize: 10_000, format: { chunkSize: 4096 } })
  } catch (error) {
    return error instanceof LayerError ? {} : { fault: `it failed: ${(error as Error).stack}` }
  }
  await writeFile(input, bytes)
  await writeFile(output, made.blob)
  const before = await by.read('tar', input)
  const after = await by.read('tar', output)
  const listed = await by.read('toc', output, made.result.tocDigest)
  if (before.error !== undefined && STRICTER.test(before.error)) return {}
  if (after.error !== undefined) return { fault: `nobody can read what came out: ${after.error}` }
  if (listed.error !== undefined) return { fault: `it cannot be read lazily: ${listed.error}` }
  if (before.error !== undefined && !isEmpty(before.error, after.entries)) {
    return { fault: `it was converted, though a pull fails: ${before.error}` }
  }
  const shown = differences(before.entries, withoutAdded(after.entries))
  const lazily = differences(withoutAdded(after.entries), withoutAdded(listed.entries))
  const fault = [...shown, ...lazily].slice(0, 3).join('; ')
  return fault === '' ? { isConverted: true } : { fault: `it shows other things: ${fault}` }
}

/** The reader takes no layer of less than four bytes; clients of registries take one for an empty layer. */
function isEmpty(error: string, after: readonly ReaderEntry[]): boolean {
  return error === 'EOF' && withoutAdded(after).length === 0
}

function withoutAdded(entries: readonly ReaderEntry[]): ReaderEntry[] {
  return entries.filter(({ name }) => !ADDED.has(name))
}

function differences(before: readonly ReaderEntry[], after: readonly ReaderEntry[]): string[] {
  const [a, b] = [before, after].map((entries) => new Map(entries.map((one) => [one.name, textOf(one)])))
  const names = new Set([...(a?.keys() ?? []), ...(b?.keys() ?? [])])
  return [...names].flatMap((name) =>
    a?.get(name) === b?.get(name) ? [] : [`${name}: ${a?.get(name)} became ${b?.get(name)}`],
  )
}

/** By archive/tar there are no chunks. */
function textOf({ chunks: _, ...entry }: ReaderEntry): string {
  return JSON.stringify(entry)
}
