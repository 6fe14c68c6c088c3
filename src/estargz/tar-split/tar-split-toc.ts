import { type TocEntry, type TocFile, writeToc } from '../toc/write-toc.ts'
import type { TarSplit, TarSplitWriter } from './tar-split.ts'

/** A table of contents and the data of tar-split that it names; or why it names none. */
export type TocWithTarSplit = {
  readonly toc: TocFile
  readonly tarSplit?: TarSplit
  readonly noTarSplit?: string
}

/**
 * Writes a table of contents as containers/storage 1.59 demands it beside the data of tar-split: it compares each entry with
 * the archive's headers, fractions of seconds and times of access included. Where they cannot be the same, it would refuse the
 * image; without the data it pulls the layer whole.
 * @param entries in the order of the archive
 * @param writer was told all of the archive
 */
export function tocWithTarSplit(entries: Iterable<TocEntry>, writer: TarSplitWriter): TocWithTarSplit {
  const tarSplit = writer.finish()
  let listed = 0
  const exact = function* () {
    for (const entry of entries) {
      if (entry.type === 'chunk') yield entry
      else yield { ...entry, ...writer.times(listed++) }
    }
  }
  const isWhole = () => listed === writer.entries
  if (typeof tarSplit === 'string') return { toc: writeToc(exact()), noTarSplit: tarSplit }
  const toc = writeToc(exact(), () => (isWhole() ? { tarSplitDigest: tarSplit.digest } : {}))
  return isWhole() ? { toc, tarSplit } : { toc, noTarSplit: 'an entry has the name of one before it' }
}
