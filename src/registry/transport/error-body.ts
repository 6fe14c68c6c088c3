import { redact } from './redact.ts'

/** Bounds of what a message quotes: text in characters, body in bytes, errors by count. */
const MAX_TEXT_LENGTH = 300
const MAX_SCANNED_BYTES = 16 * 1024
/** The search for secrets takes the square of this, and a secret in what is quoted begins well within it. */
const MAX_REDACTED_LENGTH = 2000
const MAX_QUOTED_ERRORS = 3

/** The text of an error response and the codes in its error body (distribution-spec 1.1), if it has one. */
export type ErrorBody = { readonly text: string; readonly codes: readonly string[] }

/** Extracts the text and the codes of an error response. The text is one bounded line without markup. */
export function parseErrorBody(body: string): ErrorBody {
  const errors = parseErrorList(body)
  const text = errors.map(({ code, message }) => [code, message].filter(Boolean).join(': ')).join('; ')
  return { text: toSingleLine(text === '' ? body : text), codes: errors.map(({ code }) => code) }
}

/** Returns the `errors` of a distribution-spec 1.1 error body; an empty list for any other body. */
function parseErrorList(body: string): { code: string; message: string }[] {
  try {
    const errors: unknown = JSON.parse(body)?.errors
    if (!Array.isArray(errors)) return []
    return errors.slice(0, MAX_QUOTED_ERRORS).map((error) => ({
      code: String(error?.code ?? ''),
      message: String(error?.message ?? ''),
    }))
  } catch {
    return []
  }
}

/**
 * Makes untrusted text safe for one log line: bounded, without control characters and what may be a secret; a markup
 * page becomes its title.
 */
export function toSingleLine(text: string): string {
  if (isMarkup(text)) return toSingleLine(pageTitle(text))
  const line = text
    .slice(0, MAX_SCANNED_BYTES)
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
    .slice(0, MAX_REDACTED_LENGTH)
  return redact(line).slice(0, MAX_TEXT_LENGTH)
}

/**
 * Describes the start of a body for an error message: quoted, as the title of a page, or as `an empty body`.
 */
export function describeBody(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'an empty body'
  const text = Buffer.from(bytes.subarray(0, MAX_SCANNED_BYTES)).toString('utf8')
  const line = toSingleLine(text)
  if (!isMarkup(text)) return JSON.stringify(line)
  return line === '' ? 'a page' : `a page with the title ${JSON.stringify(line)}`
}

function isMarkup(text: string): boolean {
  return /^\s*</.test(text)
}

function pageTitle(page: string): string {
  const title = /<title[^>]{0,200}>([^<]{0,300})/i.exec(page.slice(0, MAX_SCANNED_BYTES))?.[1] ?? ''
  return title.trimStart()
}
