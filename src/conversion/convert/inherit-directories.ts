import { raceAbort } from '../../concurrency/abort.ts'
import { pauseStallWatch } from '../../concurrency/stall-watch.ts'
import { type AddedDirectory, defaultDirectory } from '../../estargz/index/added-directories.ts'
import type { ThreadPool } from '../layers/thread-pool.ts'
import type { LayerDirectories } from '../reuse/layer-listings.ts'
import type { LayerPosition, PositionedLayer } from './layer-position.ts'

/**
 * Returns the directories to add to a layer because it lacks entries for them, with the attributes that they
 * have in the layers below, which have to be in progress. The result is a promise only if it has to wait for
 * these layers. If more than the root is missing, a layer thread searches their listings.
 * @throws the signal's reason; the errors of reading a layer below
 */
export function inheritDirectories(
  own: LayerDirectories,
  { lower }: Pick<LayerPosition, 'lower'>,
  threads: ThreadPool,
  signal: AbortSignal,
): AddedDirectory[] | Promise<AddedDirectory[]> {
  const { missing } = own
  if (missing?.length === 0) return []
  if (missing && lower.length === 0) return missing.map(defaultDirectory)
  if (!missing?.every((name) => name === '')) return searchListings(own, lower, threads, signal)
  for (const { directories } of lower) {
    if (!directories) return waitForRoot(lower)
    if (directories.root) return [{ name: '', ...directories.root }]
  }
  return [defaultDirectory('')]
}

/**
 * Waits for the directories to add to a layer, as {@link inheritDirectories}, without a layer thread of its
 * own.
 */
export function waitForInheritedDirectories(
  own: LayerDirectories,
  { position, signal }: Pick<PositionedLayer, 'position' | 'signal'>,
  threads: ThreadPool,
): Promise<AddedDirectory[]> {
  const inherit = async () => inheritDirectories(own, position, threads, signal)
  return pauseStallWatch(() => raceAbort(inherit(), signal))
}

async function waitForRoot(lower: readonly LayerPosition[]): Promise<AddedDirectory[]> {
  for (const position of lower) {
    const { root } = await position.waitForDirectories()
    if (root) return [{ name: '', ...root }]
  }
  return [defaultDirectory('')]
}

async function searchListings(
  own: LayerDirectories,
  lower: readonly LayerPosition[],
  threads: ThreadPool,
  signal: AbortSignal,
): Promise<AddedDirectory[]> {
  const lowerDirectories = await Promise.all(lower.map((position) => position.waitForDirectories()))
  const [ownColumns, ...lowerColumns] = await Promise.all(
    [own, ...lowerDirectories].map(({ columns }) => columns()),
  )
  if (!ownColumns) throw new RangeError('a layer has a listing of its own')
  return threads.run({ kind: 'directories', own: ownColumns, lower: lowerColumns }, { signal })
}
