import type { RecordFormat } from '../model.ts'
import { isFatraceLine } from './fatrace.ts'
import { isCsvHeader } from './nydus-csv.ts'
import { isOpensnoopHeader, isOpensnoopNote } from './opensnoop.ts'
import { isStraceLine } from './strace-line.ts'

/** Formats that are one JSON document, and not lines. */
export type DocumentFormat = 'soci' | 'nydusify'

/**
 * The document that a record begins with. Path lists may begin with `[` too, as globs do, but not with a quote
 * behind it.
 * @param head the first bytes as text, as many as tell what comes after the first bracket
 */
export function detectDocument(head: string): DocumentFormat | undefined {
  const text = head.replace(/^\ufeff/, '').trimStart()
  if (/^\[\s*(?:"|\]|\[|\{|$)/.test(text)) return 'soci'
  return /^\{\s*(?:"(?:version|files)"|$)/.test(text) ? 'nydusify' : undefined
}

/** The format that a line shows; undefined for a comment or a note, after which any may come. */
export function detectFormat(text: string): RecordFormat | undefined {
  if (text.startsWith('#') || isOpensnoopNote(text)) return undefined
  if (text.startsWith('{')) return isNydusJson(text) ? 'nydus-json' : 'stargz-record'
  if (isCsvHeader(text)) return 'nydus-csv'
  if (isOpensnoopHeader(text)) return 'opensnoop'
  if (isStraceLine(text)) return 'strace'
  return isFatraceLine(text) ? 'fatrace' : 'path-list'
}

function isNydusJson(text: string): boolean {
  return /"elapsed"\s*:/.test(text) && !/"(?:manifestDigest|layerIndex|glob)"\s*:/.test(text)
}
