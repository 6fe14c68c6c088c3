import { detectCompression } from '../../bytes/content-encoding.ts'
import { unsupportedCompression } from '../../oci/unsupported-compression.ts'
import type { DocumentFormat } from './documents.ts'
import { LINE_FORMATS, type LineFormatName } from './format-registry.ts'
import { prefixOf, type Strip } from './prefix.ts'

const DOCUMENTS: readonly { readonly format: DocumentFormat; readonly begins: RegExp }[] = [
  { format: 'soci', begins: /^\[\s*(?:"|\]|\[|\{|$)/ },
  { format: 'nydusify', begins: /^\{\s*(?:"(?:version|files)"|$)/ },
]

/** Of the first file in an archive (PKWARE's APPNOTE 6.3.10, 4.3.7). */
const ZIP_MAGIC = 'PK\x03\x04'

/** Why bytes are no text, and what to do about it; undefined for text. */
export function packedAs(head: Buffer): string | undefined {
  const encoding = detectCompression(head)
  if (encoding !== undefined) return `the body is ${encoding}: send it with Content-Encoding: ${encoding}`
  const isZip = head.toString('latin1', 0, ZIP_MAGIC.length) === ZIP_MAGIC
  const packing = isZip ? 'zip' : unsupportedCompression(head)
  return packing && `the body is ${packing}: unpack it first`
}

/**
 * The document that a record begins with. Path lists may begin with `[` too, as globs do, but not with a quote
 * behind it.
 * @param head the first bytes as text, as many as tell what comes after the first bracket
 */
export function detectDocument(head: string): DocumentFormat | undefined {
  const text = head.replace(/^\ufeff/, '').trimStart()
  return DOCUMENTS.find(({ begins }) => begins.test(text))?.format
}

/** What shows the format of a profile: a line that no other format has, behind the prefix that lines have. */
export type Proof = { readonly format: LineFormatName; readonly strip: Strip | undefined }

/** No line without one of these shows anything: long lists of paths pass quickly. */
const MAY_PROVE = /[({=]|\bPATH\s*$|^"?path"?,/i

/** The formats that prove themselves by a line. */
const PROVERS = (Object.keys(LINE_FORMATS) as LineFormatName[]).flatMap((format) => {
  const { proves } = LINE_FORMATS[format]
  return proves === undefined ? [] : [{ format, proves }]
})

/** What a line shows by itself; undefined for lines that many formats have. */
export function proofIn(text: string): Proof | undefined {
  if (/^\.{0,2}\//.test(text) || !MAY_PROVE.test(text)) return undefined
  const format = provedBy(text)
  if (format !== undefined) return { format, strip: undefined }
  let found: LineFormatName | undefined
  const strip = prefixOf(text, (rest) => {
    found = provedBy(rest)
    return found !== undefined
  })
  return found === undefined ? undefined : { format: found, strip }
}

function provedBy(text: string): LineFormatName | undefined {
  return PROVERS.find(({ proves }) => proves(text))?.format
}
