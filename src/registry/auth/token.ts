import { z } from 'zod'
import { RegistryError, type RequestContext } from '../errors.ts'
import type { RegistryResponse } from '../transport/registry-response.ts'
import type { Transport, WireContext, WireRequest } from '../transport/transport.ts'
import type { Credentials } from './credentials.ts'

/** A bearer token and its lifetime, on the clock of `Date.now()`. */
export type Token = { readonly value: string; readonly issuedAt: number; readonly expiresAt: number }

/** The token server of a registry's Bearer challenge. `realm` has been checked. */
export type TokenServer = {
  readonly realm: URL
  readonly service: string | undefined
}

export type TokenRequest = {
  readonly transport: Transport
  /** The registry that the token is for. */
  readonly registry: WireContext
  readonly server: TokenServer
  readonly scopes: readonly string[]
  readonly credentials: Credentials | undefined
}

/** The lifetime of a token without `expires_in` (distribution, "Token Authentication Specification"). */
const DEFAULT_LIFETIME_S = 60
const MAX_TOKEN_BODY_BYTES = 1024 * 1024
const CLIENT_ID = 'record-broker'
/** Responses of token servers that support only the other method: GCR, Artifactory, ACR. */
const OTHER_METHOD_STATUSES = [400, 401, 404, 405]

const TokenResponse = z.looseObject({
  token: z.string().nullish(),
  access_token: z.string().nullish(),
  expires_in: z.coerce.number().positive().nullish().catch(null),
})

/**
 * Fetches a token: by GET with basic credentials or none, or by POST (OAuth 2) with an identity token. Tries
 * the other method if the server does not support that one.
 * @throws RegistryError UNAUTHORIZED, DENIED, INVALID_RESPONSE, NETWORK
 */
export async function fetchToken(request: TokenRequest): Promise<Token> {
  const { credentials, registry } = request
  const usesPostFirst = credentials !== undefined && 'identityToken' in credentials
  const first = usesPostFirst ? await sendPost(request, credentials) : await sendGet(request)
  if (first.status === 200) return readToken(first, request)
  const failure = await first.toError(serverContext(request), {
    host: registry.host,
    credentials: credentials === undefined ? 'none' : first.status === 403 ? 'insufficient' : 'rejected',
  })
  if (credentials === undefined || !OTHER_METHOD_STATUSES.includes(first.status)) throw failure
  const second = usesPostFirst ? await sendGet(request) : await sendPost(request, credentials)
  if (second.status === 200) return readToken(second, request)
  await second.discard()
  throw failure
}

/** The context of errors of the token server. */
function serverContext({ registry, server }: TokenRequest): RequestContext {
  return { operation: registry.operation, host: server.realm.host }
}

function sendGet(request: TokenRequest): Promise<RegistryResponse> {
  const { server, scopes, credentials } = request
  const url = new URL(server.realm)
  if (server.service !== undefined) url.searchParams.set('service', server.service)
  for (const scope of scopes) url.searchParams.append('scope', scope)
  const authorization = credentials && basicAuthorization(credentials)
  return send(request, { method: 'GET', url, authorization })
}

function sendPost(request: TokenRequest, credentials: Credentials): Promise<RegistryResponse> {
  const { server, scopes } = request
  const form = new URLSearchParams({ client_id: CLIENT_ID, scope: scopes.join(' ') })
  if (server.service !== undefined) form.set('service', server.service)
  if ('identityToken' in credentials) {
    form.set('grant_type', 'refresh_token')
    form.set('refresh_token', credentials.identityToken)
  } else {
    form.set('grant_type', 'password')
    form.set('username', credentials.username)
    form.set('password', credentials.password)
  }
  return send(request, {
    method: 'POST',
    url: server.realm,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(form.toString()),
  })
}

async function send(
  request: TokenRequest,
  wireRequest: Omit<WireRequest, keyof WireContext | 'followRedirects' | 'endpoint' | 'signal'>,
): Promise<RegistryResponse> {
  const { transport, registry } = request
  const { tokenMs } = transport.timeouts
  const signal = AbortSignal.timeout(tokenMs)
  try {
    // A redirect could send the credentials to an address that was not checked.
    return await transport.send({
      ...wireRequest,
      ...registry,
      followRedirects: false,
      endpoint: 'token',
      signal,
    })
  } catch (error) {
    if (!signal.aborted) throw error
    const reason = `did not respond within ${tokenMs / 1000} seconds`
    const details = { ...serverContext(request), reason, retryable: true, cause: error }
    throw new RegistryError('NETWORK', details)
  }
}

async function readToken(response: RegistryResponse, request: TokenRequest): Promise<Token> {
  const issuedAt = Date.now()
  const context = serverContext(request)
  const token = parseToken(await response.bytes(MAX_TOKEN_BODY_BYTES, context))
  if (token === undefined) {
    throw new RegistryError('INVALID_RESPONSE', { ...context, reason: 'responded without a valid token' })
  }
  return { value: token.value, issuedAt, expiresAt: issuedAt + token.lifetimeS * 1000 }
}

function parseToken(bytes: Buffer): { value: string; lifetimeS: number } | undefined {
  try {
    const response = TokenResponse.parse(JSON.parse(bytes.toString('utf8')))
    const value = response.token || response.access_token
    // The token becomes part of a header: it must not contain spaces or control characters.
    if (!value || !/^[\x21-\x7e]+$/.test(value)) return undefined
    return { value, lifetimeS: response.expires_in ?? DEFAULT_LIFETIME_S }
  } catch {
    return undefined
  }
}

/** Returns a Basic Authorization header. An identity token is a password without a user name. */
export function basicAuthorization(credentials: Credentials): string {
  const pair =
    'identityToken' in credentials
      ? `:${credentials.identityToken}`
      : `${credentials.username}:${credentials.password}`
  return `Basic ${Buffer.from(pair).toString('base64')}`
}
