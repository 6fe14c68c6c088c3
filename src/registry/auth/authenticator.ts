import { LRUCache } from 'lru-cache'
import { RegistryError } from '../errors.ts'
import type { CredentialStatus } from '../transport/hints.ts'
import type { RegistryResponse } from '../transport/registry-response.ts'
import { type RetryPolicy, withRetries } from '../transport/retry.ts'
import type { Transport, WireContext } from '../transport/transport.ts'
import { type Challenge, parseChallenges } from './challenge.ts'
import { type CredentialSource, type Credentials, CredentialsError } from './credentials.ts'
import { mergeScopes } from './scopes.ts'
import { basicAuthorization, fetchToken, type Token, type TokenServer } from './token.ts'
import { MAX_SCOPE_ENTRIES, TokenCache } from './token-cache.ts'

/** The token servers of public registries that are on another host. */
const KNOWN_TOKEN_SERVERS: Readonly<Record<string, readonly string[]>> = {
  'docker.io': ['auth.docker.io'],
  'registry.gitlab.com': ['gitlab.com'],
}
const TOKEN_ATTEMPTS = 2

type AuthScheme =
  | { readonly kind: 'basic'; readonly authorization: string }
  | { readonly kind: 'bearer'; readonly server: TokenServer }

export type AuthenticatorOptions = {
  readonly transport: Transport
  readonly host: string
  readonly base: URL
  readonly credentials: CredentialSource | undefined
  /** Returns a token for the registry itself, which is sent without a challenge; default: there is none. */
  readonly token?: (() => Promise<string>) | undefined
  /** Further token servers that may receive the credentials. */
  readonly realmHosts: readonly string[]
  readonly retry: RetryPolicy | undefined
}

/**
 * Responds to the challenges of one registry. After the first challenge it authenticates requests in advance.
 */
export class Authenticator {
  readonly #options: AuthenticatorOptions
  readonly #tokens = new TokenCache()
  /** Scopes that a challenge required in addition to those of the request, by the scopes of the request. */
  readonly #additionalScopes = new LRUCache<string, readonly string[]>({ max: MAX_SCOPE_ENTRIES })
  #scheme: AuthScheme | undefined

  constructor(options: AuthenticatorOptions) {
    this.#options = options
  }

  /**
   * Returns the Authorization of a request with these scopes; undefined if the registry has sent no challenge
   * yet.
   * @param isFresh whether at least half of a token's lifetime must be left, such as after a long upload
   * @throws RegistryError from the token server
   */
  async authorization(
    scopes: readonly string[],
    isFresh: boolean,
    signal?: AbortSignal,
  ): Promise<string | undefined> {
    const { token } = this.#options
    if (token) return `Bearer ${await token()}`
    const scheme = this.#scheme
    if (scheme === undefined) return undefined
    if (scheme.kind === 'basic') return scheme.authorization
    try {
      return await this.#bearerAuthorization(scheme.server, scopes, isFresh, signal)
    } catch (error) {
      // The next request is sent without a token: the challenge may name another token server by then.
      this.#scheme = undefined
      throw error
    }
  }

  /**
   * Returns the Authorization for the challenge of a 401; undefined if there is none other than the rejected
   * one.
   * @throws RegistryError from the token server
   */
  async respondToChallenge(
    response: RegistryResponse,
    scopes: readonly string[],
    rejected: string | undefined,
    signal?: AbortSignal,
  ): Promise<string | undefined> {
    // The registry has rejected the token, and no other one is better.
    if (this.#options.token) return undefined
    const challenges = parseChallenges(response.headers('www-authenticate'))
    const bearer = challenges.find(({ scheme, parameters }) => scheme === 'bearer' && parameters.get('realm'))
    if (bearer !== undefined) {
      const server = this.#tokenServer(bearer, response.url)
      this.#scheme = { kind: 'bearer', server }
      this.#recordChallengeScopes(scopes, bearer)
      this.#tokens.invalidate(this.#allScopes(scopes), rejected)
      return this.#bearerAuthorization(server, scopes, false, signal)
    }
    if (!challenges.some(({ scheme }) => scheme === 'basic')) return undefined
    const credentials = await this.#findCredentials()
    if (credentials === undefined) return undefined
    const authorization = basicAuthorization(credentials)
    this.#scheme = { kind: 'basic', authorization }
    return authorization === rejected ? undefined : authorization
  }

  /**
   * Returns how the credentials were used for a request that was denied; undefined if they cannot be read.
   */
  async credentialStatus(response: RegistryResponse): Promise<CredentialStatus | undefined> {
    const { host, base } = this.#options
    if (response.url.origin !== base.origin) return { host, credentials: 'elsewhere' }
    let credentials: Credentials | undefined
    try {
      credentials = await this.#findCredentials()
    } catch {
      // The denial is reported without a hint: it may have another cause than the credentials.
      return undefined
    }
    if (credentials === undefined) return { host, credentials: 'none' }
    const scheme = this.#scheme
    if (scheme === undefined) return { host, credentials: 'unrequested' }
    if (scheme.kind === 'basic')
      return { host, credentials: response.status === 401 ? 'rejected' : 'insufficient' }
    return { host, credentials: this.#isTrusted(scheme.server.realm) ? 'insufficient' : 'withheld' }
  }

  #tokenServer({ parameters }: Challenge, challengeUrl: URL): TokenServer {
    const { transport } = this.#options
    const realm = transport.resolveAddress(
      parameters.get('realm') ?? '',
      challengeUrl,
      this.#tokenContext(),
      'realm',
    )
    return { realm, service: parameters.get('service') }
  }

  #tokenContext(): WireContext {
    const { host, base } = this.#options
    return { operation: `get a token for ${host}`, host, base }
  }

  #recordChallengeScopes(scopes: readonly string[], challenge: Challenge): void {
    const required = challengeScopes(challenge)
    const key = mergeScopes(scopes).join(' ')
    if (mergeScopes([...scopes, ...required]).join(' ') !== key) this.#additionalScopes.set(key, required)
  }

  #allScopes(scopes: readonly string[]): string[] {
    const key = mergeScopes(scopes).join(' ')
    return mergeScopes([...scopes, ...(this.#additionalScopes.get(key) ?? [])])
  }

  async #bearerAuthorization(
    server: TokenServer,
    scopes: readonly string[],
    isFresh: boolean,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const all = this.#allScopes(scopes)
    const { value } = await this.#tokens.get(all, isFresh, () => this.#fetchToken(server, all), signal)
    return `Bearer ${value}`
  }

  /** Fetches a token. Takes no signal: other requests may wait for the same token. */
  async #fetchToken(server: TokenServer, scopes: readonly string[]): Promise<Token> {
    const { transport, host, retry } = this.#options
    const available = await this.#findCredentials()
    const isTrusted = this.#isTrusted(server.realm)
    const credentials = isTrusted ? available : undefined
    const request = { transport, registry: this.#tokenContext(), server, scopes, credentials }
    try {
      // Few attempts: the request that needs the token is retried as well.
      return await withRetries(() => fetchToken(request), { ...retry, attempts: TOKEN_ATTEMPTS })
    } catch (error) {
      const isDenial = error instanceof RegistryError && ['UNAUTHORIZED', 'DENIED'].includes(error.code)
      if (!isDenial || isTrusted || available === undefined) throw error
      const { status, operation } = error
      throw new RegistryError(error.code, {
        operation,
        host: server.realm.host,
        reason: `responded ${status}; it is not trusted with the credentials of ${host}`,
        status,
        cause: error,
      })
    }
  }

  /** Whether a token server may receive the credentials of this registry. */
  #isTrusted(realm: URL): boolean {
    const { host, base, realmHosts } = this.#options
    if (realm.host === base.host) return realm.protocol === base.protocol || realm.protocol === 'https:'
    return realmHosts.includes(realm.host) || (KNOWN_TOKEN_SERVERS[host]?.includes(realm.host) ?? false)
  }

  async #findCredentials(): Promise<Credentials | undefined> {
    const { credentials, host } = this.#options
    try {
      return await credentials?.(host)
    } catch (error) {
      if (!(error instanceof CredentialsError)) throw error
      const reason = `has configured credentials that cannot be read: ${error.message}`
      throw new RegistryError('UNAUTHORIZED', { operation: 'find credentials', host, reason, cause: error })
    }
  }
}

/** Returns the scopes of a challenge, ignoring text that is not of the form `TYPE:NAME:ACTIONS`. */
function challengeScopes({ parameters }: Challenge): string[] {
  const text = parameters.get('scope') ?? ''
  return text.split(' ').filter((scope) => /^[^\s:]+:[^\s]+:[a-z*,]+$/.test(scope))
}
