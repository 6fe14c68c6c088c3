import type { DocumentFormat } from './documents.ts'
import { prefixOf, type Strip } from './prefix.ts'
import { LINE_FORMATS, type LineFormatName } from './table.ts'

const DOCUMENTS: readonly { readonly format: DocumentFormat; readonly begins: RegExp }[] = [
  { format: 'soci', begins: /^\[\s*(?:"|\]|\[|\{|$)/ },
  { format: 'nydusify', begins: /^\{\s*(?:"(?:version|files)"|$)/ },
]

/** Files that begin like this are packed or are programs: no profile begins so. */
const MAGICS: readonly { readonly bytes: readonly number[]; readonly name: string }[] = [
  { bytes: [0x1f, 0x8b], name: 'gzip' },
  { bytes: [0x28, 0xb5, 0x2f, 0xfd], name: 'zstd' },
  { bytes: [0x42, 0x5a, 0x68], name: 'bzip2' },
  { bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a], name: 'xz' },
  { bytes: [0x50, 0x4b, 0x03, 0x04], name: 'zip' },
]
/** Those that come as they are when they are named. */
const ENCODINGS: ReadonlySet<string> = new Set(['gzip', 'zstd'])

/** Why bytes are no text, and what to do about it; undefined for text. */
export function packedAs(head: Uint8Array): string | undefined {
  const found = MAGICS.find(({ bytes }) => bytes.every((byte, i) => head[i] === byte))
  if (found === undefined) return undefined
  const { name } = found
  return ENCODINGS.has(name)
    ? `the body is ${name}: send it with Content-Encoding: ${name}`
    : `the body is ${name}: unpack it first`
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
