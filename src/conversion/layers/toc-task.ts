import type { IndexColumns } from '../../estargz/index/archive-index.ts'
import { type CompressedToc, parseCompressedToc, type TocView } from '../../estargz/toc/read-toc.ts'
import { TocIndexer } from '../../estargz/toc/toc-index.ts'
import type { LayerLimits } from '../../tar/limits.ts'

/** Reads a table of contents. A layer thread does it, as a registry chooses how large it is. */
export type TocTask = {
  readonly limits: LayerLimits
  readonly toc: CompressedToc
  /** What the manifest promises of it. */
  readonly tocDigest?: string | undefined
  /** Whether its entries are answered, as an index. */
  readonly list: boolean
}

export type ReadToc = { readonly view: TocView; readonly columns?: IndexColumns }

/** @throws LayerError NOT_ESTARGZ, INVALID_TOC, LIMIT_EXCEEDED, VERIFICATION_FAILED */
export async function runTocTask({ limits, toc, tocDigest, list }: TocTask): Promise<ReadToc> {
  if (!list) return { view: await parseCompressedToc(toc, { limits, tocDigest }) }
  const indexer = new TocIndexer(limits)
  const view = await parseCompressedToc(toc, { limits, tocDigest, visit: (entry) => indexer.take(entry) })
  return { view, columns: indexer.finish(view.membersEnd) }
}
