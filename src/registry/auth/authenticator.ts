import { unlessAborted } from '../../concurrency/abort.ts'
import { RegistryError } from '../errors.ts'
import type { CredentialStatus } from '../transport/hints.ts'
import type { RegistryResponse } from '../transport/response.ts'
import { type RetryPolicy, retrying } from '../transport/retry.ts'
import type { Transport } from '../transport/transport.ts'
import { type Challenge, parseChallenges } from './challenge.ts'
import { type CredentialSource, type Credentials, CredentialsError } from './credentials.ts'
import { mergeScopes } from './scopes.ts'
import { basicAuthorization, fetchToken, type Token, type TokenServer } from './token.ts'

/** Token servers on another host that are known to belong to a registry. */
const KNOWN_REALMS: Readonly<Record<string, readonly string[]>> = {
  'docker.io': ['auth.docker.io'],
  'registry.gitlab.com': ['gitlab.com'],
}
/** A token is renewed when a quarter of its life is left, at most this much. */
const RENEW_EARLY_MS = 30_000
const TOKENS_KEPT = 500
const TOKEN_ATTEMPTS = 2

type Scheme =
  | { readonly kind: 'basic'; readonly header: string }
  | { readonly kind: 'bearer'; readonly server: TokenServer }

/** Answers the challenges of one registry, and knows after the first one what to send unasked. */
export class Authenticator {
  readonly #transport: Transport
  readonly #host: string
  readonly #base: URL
  readonly #credentials: CredentialSource | undefined
  readonly #realmHosts: readonly string[]
  readonly #retry: RetryPolicy | undefined
  readonly #tokens = new Map<string, Token>()
  readonly #fetching = new Map<string, Promise<Token>>()
  /** Scopes that the registry wants beyond those that an act names. */
  readonly #further = new Map<string, readonly string[]>()
  #scheme: Scheme | undefined

  constructor(options: {
    transport: Transport
    host: string
    base: URL
    credentials: CredentialSource | undefined
    realmHosts: readonly string[]
    retry: RetryPolicy | undefined
  }) {
    this.#transport = options.transport
    this.#host = options.host
    this.#base = options.base
    this.#credentials = options.credentials
    this.#realmHosts = options.realmHosts
    this.#retry = options.retry
  }

  /**
   * The Authorization for a request with these scopes, as far as it is known what the registry wants.
   * @param fresh renews a token that has less than half of its life left: the request after a long upload
   */
  async header(scopes: readonly string[], fresh: boolean, signal?: AbortSignal): Promise<string | undefined> {
    const scheme = this.#scheme
    if (scheme === undefined) return undefined
    if (scheme.kind === 'basic') return scheme.header
    try {
      return `Bearer ${(await this.#token(scheme.server, scopes, fresh, signal)).value}`
    } catch (error) {
      // The next act asks the registry again: it may name another token server by then.
      this.#scheme = undefined
      throw error
    }
  }

  /**
   * The Authorization that answers a 401, or undefined when there is no other one to try than `refused`.
   * @throws RegistryError from the token server
   */
  async afterRefusal(
    answer: RegistryResponse,
    scopes: readonly string[],
    refused: string | undefined,
    signal?: AbortSignal,
  ): Promise<string | undefined> {
    const challenges = parseChallenges(answer.headers('www-authenticate'))
    const bearer = challenges.find(({ scheme, parameters }) => scheme === 'bearer' && parameters.get('realm'))
    if (bearer !== undefined) return this.#answerBearer(bearer, answer.url, scopes, refused, signal)
    if (!challenges.some(({ scheme }) => scheme === 'basic')) return undefined
    const credentials = await this.#find()
    if (credentials === undefined) return undefined
    const header = basicAuthorization(credentials)
    this.#scheme = { kind: 'basic', header }
    return header === refused ? undefined : header
  }

  /** What became of the credentials for this registry, now that it refuses a request after all. */
  async standing(answer: RegistryResponse): Promise<CredentialStatus | undefined> {
    const host = this.#host
    if (answer.url.origin !== this.#base.origin) return { host, credentials: 'elsewhere' }
    let found: Credentials | undefined
    try {
      found = await this.#find()
    } catch {
      // The refusal stands by itself: it may have nothing to do with credentials.
      return undefined
    }
    if (found === undefined) return { host, credentials: 'none' }
    const scheme = this.#scheme
    if (scheme === undefined) return { host, credentials: 'not-asked-for' }
    if (scheme.kind === 'basic')
      return { host, credentials: answer.status === 401 ? 'refused' : 'insufficient' }
    return { host, credentials: this.#trusts(scheme.server.realm) ? 'insufficient' : 'withheld' }
  }

  async #answerBearer(
    challenge: Challenge,
    asker: URL,
    scopes: readonly string[],
    refused: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const asked = { operation: `get a token for ${this.#host}`, host: this.#host, base: this.#base }
    const realm = this.#transport.resolve(challenge.parameters.get('realm') ?? '', asker, asked, 'realm')
    const server = { realm, service: challenge.parameters.get('service') }
    this.#scheme = { kind: 'bearer', server }
    const named = scopesIn(challenge)
    const key = mergeScopes(scopes).join(' ')
    if (mergeScopes([...scopes, ...named]).join(' ') !== key) {
      const [oldest] = this.#further.keys()
      if (this.#further.size >= TOKENS_KEPT && oldest !== undefined) this.#further.delete(oldest)
      this.#further.set(key, named)
    }
    const token = this.#tokens.get(this.#scopesFor(scopes).join(' '))
    if (token !== undefined && `Bearer ${token.value}` === refused) {
      this.#tokens.delete(this.#scopesFor(scopes).join(' '))
    }
    return `Bearer ${(await this.#token(server, scopes, false, signal)).value}`
  }

  #scopesFor(scopes: readonly string[]): string[] {
    const key = mergeScopes(scopes).join(' ')
    return mergeScopes([...scopes, ...(this.#further.get(key) ?? [])])
  }

  async #token(
    server: TokenServer,
    scopes: readonly string[],
    fresh: boolean,
    signal: AbortSignal | undefined,
  ): Promise<Token> {
    const all = this.#scopesFor(scopes)
    const key = all.join(' ')
    const known = this.#tokens.get(key)
    if (known !== undefined && lasts(known, fresh)) return known
    let fetching = this.#fetching.get(key)
    if (fetching === undefined) {
      fetching = this.#fetch(server, all).finally(() => this.#fetching.delete(key))
      this.#fetching.set(key, fetching)
    }
    const token = await unlessAborted(fetching, signal)
    if (this.#tokens.size >= TOKENS_KEPT) this.#forgetExpired()
    this.#tokens.set(key, token)
    return token
  }

  /** Several acts may wait for one token, so no single act's signal ends the fetch. */
  async #fetch(server: TokenServer, scopes: readonly string[]): Promise<Token> {
    const found = await this.#find()
    const trusted = this.#trusts(server.realm)
    const asked = { transport: this.#transport, host: this.#host, base: this.#base, server, scopes }
    try {
      return await retrying(
        () => fetchToken({ ...asked, credentials: trusted ? found : undefined }),
        // What asks for the token is tried again as well.
        { ...this.#retry, attempts: TOKEN_ATTEMPTS },
      )
    } catch (error) {
      const refused = error instanceof RegistryError && ['UNAUTHORIZED', 'DENIED'].includes(error.code)
      if (!refused || trusted || found === undefined) throw error
      const { status, operation } = error
      throw new RegistryError(error.code, {
        operation,
        host: server.realm.host,
        why: `answered ${status}; it is not trusted with the credentials of ${this.#host}`,
        status,
        cause: error,
      })
    }
  }

  /** Whether a token server may see the credentials of this registry. */
  #trusts(realm: URL): boolean {
    const { host } = realm
    if (host === this.#base.host) return realm.protocol === this.#base.protocol || realm.protocol === 'https:'
    return this.#realmHosts.includes(host) || (KNOWN_REALMS[this.#host]?.includes(host) ?? false)
  }

  async #find(): Promise<Credentials | undefined> {
    try {
      return await this.#credentials?.(this.#host)
    } catch (error) {
      if (!(error instanceof CredentialsError)) throw error
      const why = `has credentials that cannot be had: ${error.message}`
      const operation = 'find credentials'
      throw new RegistryError('UNAUTHORIZED', { operation, host: this.#host, why, cause: error })
    }
  }

  #forgetExpired(): void {
    for (const [key, token] of this.#tokens) if (!lasts(token, false)) this.#tokens.delete(key)
    const oldest = this.#tokens.keys().next()
    if (this.#tokens.size >= TOKENS_KEPT && !oldest.done) this.#tokens.delete(oldest.value)
  }
}

function lasts(token: Token, fresh: boolean): boolean {
  const life = token.until - token.from
  const early = fresh ? life / 2 : Math.min(RENEW_EARLY_MS, life / 4)
  return token.until - early > Date.now()
}

/** The scopes of a challenge; those that are not `TYPE:NAME:ACTIONS` are left out. */
function scopesIn(challenge: Challenge): string[] {
  const text = challenge.parameters.get('scope') ?? ''
  return text.split(' ').filter((scope) => /^[^\s:]+:[^\s]+:[a-z*,]+$/.test(scope))
}
