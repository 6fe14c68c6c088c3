import { decodeJwt, decodeProtectedHeader, type ProtectedHeaderParameters } from 'jose'

/** Tokens of issuers have 1 to 3 KiB. */
const MAX_TOKEN_LENGTH = 8 * 1024
/** Three parts in base64url. Encrypted tokens have five. */
const SIGNED_TOKEN = /^eyJ[\w-]*\.[\w-]+\.[\w-]+$/

/** What a token says before its signature is checked. */
type UnverifiedToken = { readonly header: ProtectedHeaderParameters; readonly issuer: string }

/** Reads a signed token; undefined if the text is anything else, or if it is longer than any issuer's tokens are. */
export function readToken(text: string): UnverifiedToken | undefined {
  if (text.length > MAX_TOKEN_LENGTH || !SIGNED_TOKEN.test(text)) return undefined
  try {
    const { iss } = decodeJwt(text)
    return typeof iss === 'string' ? { header: decodeProtectedHeader(text), issuer: iss } : undefined
  } catch {
    return undefined
  }
}
