import type { IndexColumns } from '../../estargz/index/index-columns.ts'
import { type CompressedToc, parseCompressedToc, type TocSummary } from '../../estargz/read/read-toc.ts'
import { TocIndexer } from '../../estargz/read/toc-indexer.ts'
import type { LayerLimits } from '../../tar/layer-limits.ts'

/** Parses a table of contents. Layer threads do this, because a registry decides how large it is. */
export type TocTask = {
  readonly limits: LayerLimits
  readonly toc: CompressedToc
  /** The digest that the manifest contains. */
  readonly tocDigest?: string | undefined
  /** Whether to return the entries as an index. */
  readonly listEntries: boolean
}

export type ReadToc = { readonly view: TocSummary; readonly columns?: IndexColumns }

/** @throws LayerError NOT_ESTARGZ, INVALID_TOC, LIMIT_EXCEEDED, VERIFICATION_FAILED */
export async function performTocTask({ limits, toc, tocDigest, listEntries }: TocTask): Promise<ReadToc> {
  if (!listEntries) return { view: await parseCompressedToc(toc, { limits, tocDigest }) }
  const indexer = new TocIndexer(limits)
  const view = await parseCompressedToc(toc, { limits, tocDigest, visit: (entry) => indexer.add(entry) })
  return { view, columns: indexer.finish(view.membersEnd) }
}
