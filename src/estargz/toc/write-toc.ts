import type { TocEntry } from './toc-entry.ts'
import { TOC_PART_BYTES, type TocFile, TocFileBuilder } from './toc-file.ts'

/**
 * Writes a table of contents as JSON, one entry per line. The whole file is buffered, because the tar header
 * before it holds its size.
 * @param additionalMembers returns members to write after the entries; called after the last entry
 */
export function writeToc(
  entries: Iterable<TocEntry>,
  additionalMembers: () => Record<string, string> = () => ({}),
): TocFile {
  const toc = new TocFileBuilder()
  let text = '{"version":1,"entries":['
  let separator = '\n'
  for (const entry of entries) {
    text += separator + JSON.stringify(entry)
    separator = ',\n'
    if (text.length < TOC_PART_BYTES) continue
    toc.add(Buffer.from(text))
    text = ''
  }
  const members = Object.entries(additionalMembers()).map(
    ([key, value]) => `,${JSON.stringify(key)}:${JSON.stringify(value)}`,
  )
  toc.add(Buffer.from(`${text}\n]${members.join('')}}`))
  return toc.finish()
}
