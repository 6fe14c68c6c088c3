import type { components } from './schema.ts'

/**
 * A callback is signed by Standard Webhooks 1.0.0
 * (https://github.com/standard-webhooks/standard-webhooks/blob/v1.0.0/spec/standard-webhooks.md).
 */
const SECRET_PREFIX = 'whsec_'
const SIGNATURE_VERSION = 'v1'
/** How far the time of a message may be from now: later copies of an old message are refused. */
const TOLERANCE_S = 300
/** A sender has a signature for each of its secrets, and no more than a few. */
const MAX_SIGNATURES = 10

/** The request that a receiver got: its headers, by lower-case names, and its body exactly as it arrived. */
export type CallbackRequest = {
  readonly headers: Headers | Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: string | Uint8Array
}

export type VerifyOptions = {
  /** How old the message may be, and how far in the future, in seconds. Default: 300. */
  readonly toleranceS?: number
  /** The current time in milliseconds since 1970. Default: that of this machine. */
  readonly now?: number
}

/** The message of a callback, once its signature is verified. */
export type Callback = components['schemas']['CallbackMessage'] & {
  /** The same for all deliveries of one message: keep it to recognize those that arrive twice. */
  readonly id: string
}

/** A callback that the broker did not send, or that cannot be told from such a one. */
export class InvalidCallbackError extends Error {
  override readonly name = 'InvalidCallbackError'
  readonly code = 'INVALID_CALLBACK'
}

/**
 * Verifies the signature and the time of a callback, and returns its message.
 * @param secrets `whsec_…`, the broker's `RECORD_BROKER_CALLBACK_SECRET`. While it is replaced: the old and the new one
 * @throws InvalidCallbackError if the message is not signed with one of the secrets, or is too old
 * @throws TypeError if a secret is malformed
 */
export async function verifyCallback(
  { headers, body }: CallbackRequest,
  secrets: string | readonly string[],
  { toleranceS = TOLERANCE_S, now = Date.now() }: VerifyOptions = {},
): Promise<Callback> {
  const keys = [secrets].flat().map(parseSecret)
  const id = headerOf(headers, 'webhook-id')
  const timestamp = headerOf(headers, 'webhook-timestamp')
  if (!/^\d{1,12}$/.test(timestamp))
    throw new InvalidCallbackError('webhook-timestamp: expected seconds since 1970')
  if (Math.abs(now / 1000 - Number(timestamp)) > toleranceS) {
    throw new InvalidCallbackError(`webhook-timestamp: more than ${toleranceS} seconds from now`)
  }
  const text = typeof body === 'string' ? body : new TextDecoder('utf-8', { ignoreBOM: true }).decode(body)
  const signed = new TextEncoder().encode(`${id}.${timestamp}.${text}`)
  const signatures = parseSignatures(headerOf(headers, 'webhook-signature'))
  if (!(await isSignedByOne(signed, signatures, keys))) {
    throw new InvalidCallbackError('webhook-signature: no signature was made with a known secret')
  }
  return { ...(JSON.parse(text) as Omit<Callback, 'id'>), id }
}

async function isSignedByOne(
  signed: Uint8Array<ArrayBuffer>,
  signatures: readonly Uint8Array<ArrayBuffer>[],
  keys: readonly Uint8Array<ArrayBuffer>[],
): Promise<boolean> {
  for (const bytes of keys) {
    const key = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, [
      'verify',
    ])
    for (const signature of signatures) {
      // Compares in constant time.
      if (await crypto.subtle.verify('HMAC', key, signature, signed)) return true
    }
  }
  return false
}

function headerOf(headers: CallbackRequest['headers'], name: string): string {
  const value = headers instanceof Headers ? headers.get(name) : [headers[name] ?? []].flat()[0]
  if (!value) throw new InvalidCallbackError(`${name}: missing`)
  return value
}

/** Parses `v1,BASE64 v1,BASE64`. Signatures of other versions are skipped. */
function parseSignatures(header: string): Uint8Array<ArrayBuffer>[] {
  return header
    .split(' ', MAX_SIGNATURES)
    .map((signature) => signature.split(',', 2))
    .filter(([version]) => version === SIGNATURE_VERSION)
    .flatMap(([, base64 = '']) => decodeBase64(base64) ?? [])
}

function parseSecret(secret: string): Uint8Array<ArrayBuffer> {
  const bytes = secret.startsWith(SECRET_PREFIX)
    ? decodeBase64(secret.slice(SECRET_PREFIX.length))
    : undefined
  // The message does not show the secret.
  if (!bytes?.length) throw new TypeError(`secrets: expected ${SECRET_PREFIX} and base64`)
  return bytes
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  } catch {
    return undefined
  }
}
