const MESSAGE_LENGTH = 300
/** How much of a body is looked at for words. */
const LOOKED_AT = 16 * 1024
/** Errors of one answer that are told. */
const ERRORS_TOLD = 3

/** What a registry says is wrong, by the error body of distribution-spec 1.1, or whatever text it has. */
export type ErrorBody = { readonly text: string; readonly codes: readonly string[] }

/** The words of an error answer: one line, bounded, without markup. */
export function parseErrorBody(body: string): ErrorBody {
  const listed = listedErrors(body)
  const said = listed.map(({ code, message }) => [code, message].filter(Boolean).join(': ')).join('; ')
  return { text: plain(said === '' ? body : said), codes: listed.map(({ code }) => code) }
}

/** The `errors` of a distribution-spec 1.1 error body, as far as it is one. */
function listedErrors(body: string): { code: string; message: string }[] {
  try {
    const errors: unknown = JSON.parse(body)?.errors
    if (!Array.isArray(errors)) return []
    return errors.slice(0, ERRORS_TOLD).map((error) => ({
      code: String(error?.code ?? ''),
      message: String(error?.message ?? ''),
    }))
  } catch {
    return []
  }
}

/** Text from outside, fit for one line of a log: no control characters, of a markup page its title alone, bounded. */
export function plain(text: string): string {
  if (/^\s*</.test(text)) return plain(titleOf(text))
  return text
    .slice(0, LOOKED_AT)
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
    .slice(0, MESSAGE_LENGTH)
}

function titleOf(page: string): string {
  const title = /<title[^>]{0,200}>([^<]{0,300})/i.exec(page.slice(0, LOOKED_AT))?.[1] ?? ''
  return title.trimStart()
}

/** How a body begins, quoted, so that what came in the place of a document is seen; nothing for an empty one. */
export function excerpt(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'nothing'
  const text = Buffer.from(bytes.subarray(0, LOOKED_AT)).toString('utf8')
  const isPage = /^\s*</.test(text)
  const words = plain(text)
  if (isPage) return words === '' ? 'a page' : `a page with the title ${JSON.stringify(words)}`
  return JSON.stringify(words)
}
