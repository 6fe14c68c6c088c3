import { type AddedDirectory, defaultDirectory } from '../../estargz/index/added-directories.ts'
import type { ThreadPool } from '../layers/thread-pool.ts'
import type { KnownDirectories, LayerPosition } from './layer-position.ts'

/**
 * The directories that a layer gets. What can be told at once is no promise; else it waits for the layers below, which have
 * to be under way, and where more than the root is missing a thread looks for it.
 * @throws the signal's reason, and what reading a layer below fails with
 */
export function findDirectories(
  own: KnownDirectories,
  { lower }: Pick<LayerPosition, 'lower'>,
  threads: ThreadPool,
  signal: AbortSignal,
): AddedDirectory[] | Promise<AddedDirectory[]> {
  const { missing } = own
  if (missing?.length === 0) return []
  if (missing && lower.length === 0) return missing.map(defaultDirectory)
  if (!missing?.every((name) => name === '')) return search(own, lower, threads, signal)
  for (const { known } of lower) {
    if (!known) return rootOf(lower)
    if (known.root) return [{ name: '', ...known.root }]
  }
  return [defaultDirectory('')]
}

async function rootOf(lower: readonly LayerPosition[]): Promise<AddedDirectory[]> {
  for (const place of lower) {
    const { root } = await place.whenKnown()
    if (root) return [{ name: '', ...root }]
  }
  return [defaultDirectory('')]
}

async function search(
  own: KnownDirectories,
  lower: readonly LayerPosition[],
  threads: ThreadPool,
  signal: AbortSignal,
): Promise<AddedDirectory[]> {
  const known = [own, ...(await Promise.all(lower.map((place) => place.whenKnown())))]
  const [first, ...rest] = await Promise.all(known.map(({ columns }) => columns()))
  if (!first) throw new RangeError('a layer knows itself')
  return threads.run({ kind: 'directories', own: first, lower: rest }, { signal })
}
