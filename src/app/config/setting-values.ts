import { z } from 'zod'
import { KEY_BYTES } from '../../access/key-ring.ts'
import { parsePostgresAddress } from '../../db/postgres/postgres-address.ts'
import { parseHost, parseRepository } from '../../oci/reference.ts'
import { parseAddressRanges } from './address-ranges.ts'
import { partsOf } from './comma-list.ts'
import { parseWebOrigin, parseWebOrigins } from './web-origin.ts'

/** Makes a schema from a parser that throws. Its error has the parser's message. */
function parsed<T>(parse: (text: string) => T) {
  return z.string().transform((text, context): T => {
    try {
      return parse(text)
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
      return z.NEVER
    }
  })
}

/** Parses a whole number. @param min the smallest valid value */
export function wholeNumber(min: number) {
  return z
    .string()
    .regex(/^\d{1,15}$/, 'expected a whole number')
    .transform(Number)
    .refine((value) => value >= min, `expected at least ${min}`)
}

/** The hosts at which no other machine reaches a server. */
export const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost'])

export const Listen = parsed((text) => {
  const match = /^(\[[0-9a-fA-F:]+\]|[^:[\]]+):(\d{1,5})$/.exec(text)
  if (!match?.[1] || Number(match[2]) > 65535) throw new Error('expected host:port, such as 127.0.0.1:8080')
  return { host: match[1], port: Number(match[2]) }
})

export const Hosts = parsed((text) => partsOf(text).map(parseHost))

export const BackingRegistry = parsed((text) => {
  const slash = text.indexOf('/')
  const host = parseHost(slash < 0 ? text : text.slice(0, slash))
  const prefix = slash < 0 ? '' : text.slice(slash + 1)
  return { host, prefix: prefix === '' ? '' : parseRepository(prefix) }
})

/** Parses `host=2,*=8`: a limit for one host, and the limit for every other host. */
export const RegistryLimits = parsed((text) => {
  const limits = new Map<string, number>()
  for (const part of partsOf(text)) {
    const [, host = '', count] = /^([^=]+)=([1-9]\d{0,5})$/.exec(part) ?? []
    if (count === undefined) throw new Error('expected host=NUMBER or *=NUMBER, comma separated')
    limits.set(host === '*' ? host : parseHost(host), Number(count))
  }
  return limits
})

/** The address of a broker: an origin, with a path if a proxy serves the broker below one. */
export const ServerUrl = parsed(parseServerUrl)

/**
 * Parses the address of a broker, such as `https://broker.example`.
 * @returns the address without a slash at its end
 * @throws Error that describes an address; the message has no secret
 */
export function parseServerUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') {
    throw new Error(
      'expected the address of a broker, such as https://broker.example or http://127.0.0.1:8080',
    )
  }
  if (url.username !== '' || url.password !== '') {
    throw new Error('expected an address without a user or a password; record-broker login stores a token')
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
}

/** Callbacks are sent to origins, whatever else of a URL the setting has. */
export const CallbackOrigins = parsed((text) => {
  const origins = partsOf(text).map((part) => new URL(part).origin)
  if (!origins.every((origin) => /^https?:/.test(origin))) throw new Error('expected https://host[:port]')
  return new Set(origins)
})

/** The URL of a broker: its host and port are also the name of the embedded registry in references. */
export const PublicUrl = parsed((text) => {
  const url = parseWebOrigin(text)
  parseHost(url.host)
  return url
})

/** A signing secret of Standard Webhooks 1.0: 24 to 64 bytes in base64 after `whsec_`. */
export const WebhookSecret = parsed((text) => {
  const bytes = Buffer.from(text.replace(/^whsec_/, ''), 'base64')
  if (!text.startsWith('whsec_') || bytes.length < 24 || bytes.length > 64) {
    throw new Error('expected whsec_ and 24 to 64 bytes in base64')
  }
  return bytes
})

export const SecretKeys = parsed((text) => {
  const keys = partsOf(text).map((part) => Buffer.from(part, 'base64'))
  if (keys.length === 0 || keys.some(({ length }) => length !== KEY_BYTES))
    throw new Error(`expected ${KEY_BYTES} bytes in base64; openssl rand -base64 ${KEY_BYTES} makes a key`)
  return keys
})

const MIN_HOOK_SECRET = 16

/** Several secrets of one sender, the old one beside the new, while they are rotated. */
export const HookSecretList = parsed((text) => {
  // Some registries send the word Bearer before the secret.
  const secrets = partsOf(text).map((part) => part.replace(/^Bearer +/i, ''))
  if (!secrets.every((secret) => /^[\x20-\x7e]+$/.test(secret) && secret.length >= MIN_HOOK_SECRET)) {
    throw new Error(`expected secrets of at least ${MIN_HOOK_SECRET} printable characters, comma separated`)
  }
  return secrets
})

export const WebOrigins = parsed(parseWebOrigins)

export const AddressRanges = parsed(parseAddressRanges)

export const DatabaseUrl = parsed((text) => {
  if (!/^(postgres(ql)?|sqlite):/.test(text)) throw new Error('expected postgres://… or sqlite:PATH')
  if (!text.startsWith('sqlite:')) parsePostgresAddress(text)
  return text
})
