import { detectCompression } from '../../bytes/content-encoding.ts'
import { detectUnsupportedCompression } from '../../oci/unsupported-compression.ts'
import { LINE_FORMATS, type LineFormatName } from './format-registry.ts'
import type { DocumentFormat } from './json-documents.ts'
import { findPrefix, type StripPrefix } from './log-prefix.ts'

const DOCUMENT_STARTS: readonly { readonly format: DocumentFormat; readonly pattern: RegExp }[] = [
  { format: 'soci', pattern: /^\[\s*(?:"|\]|\[|\{|$)/ },
  { format: 'nydusify', pattern: /^\{\s*(?:"(?:version|files)"|$)/ },
]

/** The signature of a local file header (PKWARE's APPNOTE 6.3.10, 4.3.7). */
const ZIP_SIGNATURE = 'PK\x03\x04'

/**
 * Describes a compressed body and its remedy, for an error message; undefined for a body that may be text.
 */
export function describeCompressedBody(head: Buffer): string | undefined {
  const encoding = detectCompression(head)
  if (encoding !== undefined) return `the body is ${encoding}: send it with Content-Encoding: ${encoding}`
  const isZip = head.toString('latin1', 0, ZIP_SIGNATURE.length) === ZIP_SIGNATURE
  const compression = isZip ? 'zip' : detectUnsupportedCompression(head)
  return compression && `the body is ${compression}: decompress it first`
}

/**
 * Detects a record that is one JSON document. Path lists may start with `[` too, as globs do, but not with a
 * quote after it.
 * @param head the start of the record as text, long enough to show what follows the first bracket
 */
export function detectDocument(head: string): DocumentFormat | undefined {
  const text = head.replace(/^\ufeff/, '').trimStart()
  return DOCUMENT_STARTS.find(({ pattern }) => pattern.test(text))?.format
}

/** The format of a distinctive line, and the log prefix to strip from its lines, if they have one. */
export type FormatMatch = { readonly format: LineFormatName; readonly strip: StripPrefix | undefined }

/** A cheap test that every distinctive line passes, so that long path lists are read quickly. */
const MAY_BE_DISTINCTIVE = /[({=]|\bPATH\s*$|^"?path"?,/i

const DISTINCTIVE_FORMATS = (Object.keys(LINE_FORMATS) as LineFormatName[]).flatMap((format) => {
  const { isDistinctive } = LINE_FORMATS[format]
  return isDistinctive === undefined ? [] : [{ format, isDistinctive }]
})

/** Detects the format of a single line; undefined for lines that several formats may contain. */
export function matchFormat(text: string): FormatMatch | undefined {
  if (/^\.{0,2}\//.test(text) || !MAY_BE_DISTINCTIVE.test(text)) return undefined
  const format = matchUnprefixed(text)
  if (format !== undefined) return { format, strip: undefined }
  let prefixedFormat: LineFormatName | undefined
  const strip = findPrefix(text, (line) => {
    prefixedFormat = matchUnprefixed(line)
    return prefixedFormat !== undefined
  })
  return prefixedFormat === undefined ? undefined : { format: prefixedFormat, strip }
}

function matchUnprefixed(text: string): LineFormatName | undefined {
  return DISTINCTIVE_FORMATS.find(({ isDistinctive }) => isDistinctive(text))?.format
}
