import { z } from 'zod'
import { RegistryError } from '../errors.ts'
import type { RegistryResponse } from '../transport/response.ts'
import type { Transport } from '../transport/transport.ts'
import type { Credentials } from './credentials.ts'

/** A bearer token and its life, on the clock of `Date.now()`. */
export type Token = { readonly value: string; readonly from: number; readonly until: number }

/** Where tokens come from: the Bearer challenge of a registry, its realm checked. */
export type TokenServer = {
  readonly realm: URL
  readonly service: string | undefined
}

export type TokenRequest = {
  readonly transport: Transport
  readonly host: string
  readonly base: URL
  readonly server: TokenServer
  readonly scopes: readonly string[]
  readonly credentials: Credentials | undefined
}

/** A token without `expires_in` lives this long (distribution, "Token Authentication Specification"). */
const DEFAULT_LIFE_S = 60
const TOKEN_BODY_BYTES = 1024 * 1024
const CLIENT_ID = 'record-broker'
/** Token servers that know one of the two ways only answer the other one so: GCR, Artifactory, ACR. */
const OTHER_WAY_STATUSES = [400, 401, 404, 405]

const TokenAnswer = z.looseObject({
  token: z.string().nullish(),
  access_token: z.string().nullish(),
  expires_in: z.coerce.number().positive().nullish().catch(null),
})

/**
 * Fetches a token: by GET with basic credentials or none, by POST (OAuth 2) for an identity token, and the
 * other way where the server does not know that one.
 * @throws RegistryError UNAUTHORIZED, DENIED, and those of the network
 */
export async function fetchToken(asked: TokenRequest): Promise<Token> {
  const { credentials } = asked
  const byPostFirst = credentials !== undefined && 'identityToken' in credentials
  const first = byPostFirst ? await post(asked, credentials) : await get(asked)
  if (first.status === 200) return read(first, asked)
  const failed = await first.toError(operation(asked), asked.server.realm.host, {
    host: asked.host,
    credentials: credentials === undefined ? 'none' : first.status === 403 ? 'insufficient' : 'refused',
  })
  if (credentials === undefined || !OTHER_WAY_STATUSES.includes(first.status)) throw failed
  const second = byPostFirst ? await get(asked) : await post(asked, credentials)
  if (second.status === 200) return read(second, asked)
  await second.discard()
  throw failed
}

function operation(asked: TokenRequest): string {
  return `get a token for ${asked.host}`
}

function get(asked: TokenRequest): Promise<RegistryResponse> {
  const url = new URL(asked.server.realm)
  if (asked.server.service !== undefined) url.searchParams.set('service', asked.server.service)
  for (const scope of asked.scopes) url.searchParams.append('scope', scope)
  return send(asked, {
    method: 'GET',
    url,
    authorization: asked.credentials && basicAuthorization(asked.credentials),
  })
}

function post(asked: TokenRequest, credentials: Credentials): Promise<RegistryResponse> {
  const form = new URLSearchParams({ client_id: CLIENT_ID, scope: asked.scopes.join(' ') })
  if (asked.server.service !== undefined) form.set('service', asked.server.service)
  if ('identityToken' in credentials) {
    form.set('grant_type', 'refresh_token')
    form.set('refresh_token', credentials.identityToken)
  } else {
    form.set('grant_type', 'password')
    form.set('username', credentials.username)
    form.set('password', credentials.password)
  }
  return send(asked, {
    method: 'POST',
    url: asked.server.realm,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(form.toString()),
  })
}

async function send(
  asked: TokenRequest,
  request: Pick<Parameters<Transport['send']>[0], 'method' | 'url' | 'headers' | 'body' | 'authorization'>,
): Promise<RegistryResponse> {
  const { host, base, transport, server } = asked
  const signal = AbortSignal.timeout(transport.patience.tokenMs)
  try {
    // A redirect could carry the credentials to a place that was not checked.
    return await transport.send({
      ...request,
      operation: operation(asked),
      host,
      base,
      follow: false,
      signal,
    })
  } catch (error) {
    if (!signal.aborted) throw error
    const why = `gave no answer within ${transport.patience.tokenMs / 1000} seconds`
    const failure = {
      operation: operation(asked),
      host: server.realm.host,
      why,
      retryable: true,
      cause: error,
    }
    throw new RegistryError('NETWORK', failure)
  }
}

async function read(answer: RegistryResponse, asked: TokenRequest): Promise<Token> {
  const from = Date.now()
  const host = asked.server.realm.host
  const bytes = await answer.bytes(TOKEN_BODY_BYTES, operation(asked), host)
  const token = tokenIn(bytes)
  if (token === undefined) {
    throw new RegistryError('INVALID_RESPONSE', {
      operation: operation(asked),
      host,
      why: 'answered without a token',
    })
  }
  return { value: token.value, from, until: from + token.lifeS * 1000 }
}

function tokenIn(bytes: Buffer): { value: string; lifeS: number } | undefined {
  try {
    const answer = TokenAnswer.parse(JSON.parse(bytes.toString('utf8')))
    const value = answer.token || answer.access_token
    // Whatever else would end up in a header.
    if (!value || !/^[\x21-\x7e]+$/.test(value)) return undefined
    return { value, lifeS: answer.expires_in ?? DEFAULT_LIFE_S }
  } catch {
    return undefined
  }
}

/** The value of a Basic Authorization header. An identity token is a password without a user name. */
export function basicAuthorization(credentials: Credentials): string {
  const pair =
    'identityToken' in credentials
      ? `:${credentials.identityToken}`
      : `${credentials.username}:${credentials.password}`
  return `Basic ${Buffer.from(pair).toString('base64')}`
}
