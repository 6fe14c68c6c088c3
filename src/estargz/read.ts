import { gunzipSync } from 'node:zlib'
import { type Digest, digestOf } from '../oci/digest.ts'
import { LayerError } from './errors.ts'
import { FOOTER_SIZE, parseFooter } from './footer.ts'
import type { LayerLimits } from './limits.ts'
import {
  baseOf,
  cleanName,
  NO_PREFETCH_LANDMARK,
  PREFETCH_LANDMARK,
  parentOf,
  TOC_NAME,
  WHITEOUT_PREFIX,
} from './names.ts'
import { TarScanner } from './tar-scan.ts'
import { parseToc, type Toc, tocTooLarge } from './toc.ts'

export type LandmarkView = {
  /** Undefined when the blob has none, as plain stargz has not. */
  landmark: 'prefetch' | 'no-prefetch' | undefined
  /** Where the member with the landmark's content begins: readers fetch the blob up to here. */
  landmarkOffset: number | undefined
  /** Names of the prioritized files in their order, clean; see {@link readLandmark}. */
  prioritized: string[]
}

export type OpenedEStargz = LandmarkView & { toc: Toc; tocOffset: number; tocDigest: Digest }

/**
 * Reads an eStargz blob's footer and table of contents, by two ranged reads, and nothing else of it.
 * @param o.readRange gives the bytes from `start` up to `end`
 * @throws LayerError NOT_ESTARGZ, INVALID_TOC, LIMIT_EXCEEDED; errors of `readRange` pass unchanged
 */
export async function openEStargz(o: {
  size: number
  readRange(start: number, end: number): Promise<Buffer>
  limits: LayerLimits
}): Promise<OpenedEStargz> {
  const tail = await o.readRange(Math.max(0, o.size - FOOTER_SIZE), o.size)
  const footer = parseFooter(tail)
  if (!footer) throw new LayerError('NOT_ESTARGZ', 'the blob does not end with an eStargz footer')
  const end = o.size - footer.footerSize
  const { tocOffset } = footer
  if (tocOffset >= end) {
    throw new LayerError('NOT_ESTARGZ', `the footer points at byte ${tocOffset} of a blob of ${o.size} bytes`)
  }
  // Compressed bytes are hardly more than plain ones, so that this bounds what is downloaded.
  if (end - tocOffset > o.limits.maxTocBytes + 64 * 1024) throw tocTooLarge(o.limits.maxTocBytes)
  const json = tocOf(await o.readRange(tocOffset, end), o.limits)
  const toc = parseToc(json, o.limits)
  return { toc, tocOffset, tocDigest: digestOf(json), ...readLandmark(toc) }
}

/**
 * What the order of a table of contents says. The directories that a converter puts before a prioritized file
 * are not listed, a directory with no prioritized file in it is; whiteouts never are.
 */
export function readLandmark(toc: Toc): LandmarkView {
  const names: { name: string; dir: boolean }[] = []
  const parents = new Set<string>()
  for (const entry of toc.entries) {
    if (entry.type === 'chunk') continue
    const name = cleanName(entry.name)
    if (name === NO_PREFETCH_LANDMARK) {
      return { landmark: 'no-prefetch', landmarkOffset: entry.offset, prioritized: [] }
    }
    if (name === PREFETCH_LANDMARK) {
      const wanted = names.filter((one) => !one.dir || !parents.has(one.name))
      return {
        landmark: 'prefetch',
        landmarkOffset: entry.offset,
        prioritized: wanted.map((one) => one.name),
      }
    }
    if (baseOf(name).startsWith(WHITEOUT_PREFIX)) continue
    names.push({ name, dir: entry.type === 'dir' })
    for (let above = name; above !== '' && !parents.has(parentOf(above)); ) {
      above = parentOf(above)
      parents.add(above)
    }
  }
  return { landmark: undefined, landmarkOffset: undefined, prioritized: [] }
}

/** The JSON file out of its member. */
function tocOf(member: Buffer, limits: LayerLimits): Buffer {
  // Header, padding and end of the archive come on top of the file.
  const maxOutputLength = limits.maxTocBytes + limits.maxHeaderBytes + 4096
  let plain: Buffer
  try {
    plain = gunzipSync(member, { maxOutputLength })
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE') {
      throw tocTooLarge(limits.maxTocBytes)
    }
    throw new LayerError('NOT_ESTARGZ', 'the table of contents is not where the footer says', { cause })
  }
  const content: Buffer[] = []
  for (const event of new TarScanner(limits).push(plain)) {
    if (event.kind === 'end') return Buffer.concat(content)
    if (event.kind === 'content') content.push(event.bytes)
    else if (event.kind === 'entry' && event.entry.name !== TOC_NAME) break
  }
  throw new LayerError('NOT_ESTARGZ', `the footer points at something other than ${TOC_NAME}`)
}
