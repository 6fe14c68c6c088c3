import type { TocEntry } from '../toc/toc-entry.ts'
import type { TocFile } from '../toc/toc-file.ts'
import { writeToc } from '../toc/write-toc.ts'
import type { TarSplit, TarSplitWriter } from './tar-split-writer.ts'

/** A table of contents with the tar-split data that it refers to, or the reason why it refers to none. */
export type TocWithTarSplit = {
  readonly toc: TocFile
  readonly tarSplit?: TarSplit
  readonly noTarSplit?: string
}

/**
 * Writes a table of contents as containers/storage 1.59 requires it next to tar-split data: it compares each
 * entry with the archive's headers, including fractions of seconds and access times. If the two cannot match,
 * it would reject the image; without tar-split data it pulls the whole layer.
 * @param entries in the order of the archive
 * @param writer must have received the whole archive
 */
export function writeTocWithTarSplit(entries: Iterable<TocEntry>, writer: TarSplitWriter): TocWithTarSplit {
  const tarSplit = writer.finish()
  let listed = 0
  const withHeaderTimes = function* () {
    for (const entry of entries) {
      if (entry.type === 'chunk') yield entry
      else yield { ...entry, ...writer.headerTimes(listed++) }
    }
  }
  if (typeof tarSplit === 'string') return { toc: writeToc(withHeaderTimes()), noTarSplit: tarSplit }
  const isComplete = () => listed === writer.entries
  const toc = writeToc(withHeaderTimes(), () => (isComplete() ? { tarSplitDigest: tarSplit.digest } : {}))
  return isComplete()
    ? { toc, tarSplit }
    : { toc, noTarSplit: 'an entry has the same name as an earlier one' }
}
