import * as oidc from 'openid-client'
import { z } from 'zod'
import type { Claims } from '../oidc/claim-conditions.ts'
import type { IssuerFetch } from '../oidc/issuer-fetch.ts'
import { IssuerUnavailableError } from '../oidc/issuer-unavailable-error.ts'
import { LoginError, LoginsBusyError } from './login-error.ts'

/** The configuration of the issuer is read again after this time. */
const CONFIGURATION_MS = 60 * 60_000
/** The time between a failed read of the configuration and the next one. */
const FAILURE_COOLDOWN_MS = 5_000
/** Logins for which the broker asks the issuer at the same time. */
const MAX_PENDING = 20
const MAX_SUBJECT_LENGTH = 1000
const CONNECTION_ERRORS: readonly string[] = ['OAUTH_TIMEOUT', 'OAUTH_ABORT']

/** What the browser brings back when it returns: each value belongs to one login. */
export const LoginChecks = z.object({ state: z.string(), nonce: z.string(), verifier: z.string() })
export type LoginChecks = z.output<typeof LoginChecks>

export type LoginIssuerOptions = {
  readonly issuer: string
  readonly clientId: string
  /** Default: the client is public, and proves by PKCE alone that a code is its own. */
  readonly clientSecret?: string | undefined
  /** The scopes that are requested, `openid` among them. */
  readonly scopes: string
  /** The address that the issuer sends the browser back to. */
  readonly redirectUri: URL
  readonly fetch: IssuerFetch
}

/** Who has logged in. */
export type Person = { readonly subject: string; readonly issuer: string; readonly claims: Claims }

/** The issuer at which people log in: authorization code flow with PKCE, state and nonce. */
export class LoginIssuer {
  readonly #options: LoginIssuerOptions
  #configuration: Promise<oidc.Configuration> | undefined
  #readAt = Number.NEGATIVE_INFINITY
  #failedAt = Number.NEGATIVE_INFINITY
  #pending = 0

  constructor(options: LoginIssuerOptions) {
    this.#options = options
  }

  /** Its URL, which is the `iss` of its tokens. */
  get url(): string {
    return this.#options.issuer
  }

  /** Returns where the browser goes to log in, and what to check when it returns. @throws IssuerUnavailableError */
  async start(): Promise<{ readonly url: URL; readonly checks: LoginChecks }> {
    const configuration = await this.#configure()
    const checks = {
      state: oidc.randomState(),
      nonce: oidc.randomNonce(),
      verifier: oidc.randomPKCECodeVerifier(),
    }
    const url = oidc.buildAuthorizationUrl(configuration, {
      redirect_uri: this.#options.redirectUri.href,
      scope: this.#options.scopes,
      state: checks.state,
      nonce: checks.nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(checks.verifier),
      code_challenge_method: 'S256',
    })
    return { url, checks }
  }

  /**
   * Finds out who has logged in.
   * @param query the query with which the browser returned
   * @throws LoginError, LoginsBusyError, IssuerUnavailableError
   */
  async finish(query: string, checks: LoginChecks): Promise<Person> {
    if (this.#pending >= MAX_PENDING) throw new LoginsBusyError()
    this.#pending += 1
    try {
      return await this.#redeem(await this.#configure(), query, checks)
    } catch (error) {
      throw this.#explain(error)
    } finally {
      this.#pending -= 1
    }
  }

  async #redeem(configuration: oidc.Configuration, query: string, checks: LoginChecks): Promise<Person> {
    const returned = new URL(this.#options.redirectUri)
    returned.search = query
    const tokens = await oidc.authorizationCodeGrant(configuration, returned, {
      expectedState: checks.state,
      expectedNonce: checks.nonce,
      pkceCodeVerifier: checks.verifier,
      idTokenExpected: true,
    })
    const claims = tokens.claims()
    if (!claims || claims.sub.length > MAX_SUBJECT_LENGTH) {
      throw new LoginError('the issuer does not say who logged in')
    }
    // Issuers show groups and addresses in the ID token, here, or in both. What is signed counts more.
    const hasUserInfo = configuration.serverMetadata().userinfo_endpoint !== undefined
    const shown = hasUserInfo ? await oidc.fetchUserInfo(configuration, tokens.access_token, claims.sub) : {}
    return { subject: claims.sub, issuer: claims.iss, claims: { ...shown, ...claims } }
  }

  /** Reads the configuration of the issuer. Callers share one read. */
  async #configure(): Promise<oidc.Configuration> {
    const now = performance.now()
    if (this.#configuration && now - this.#readAt < CONFIGURATION_MS) return this.#configuration
    const wait = this.#failedAt + FAILURE_COOLDOWN_MS - now
    if (wait > 0) throw new IssuerUnavailableError(this.#options.issuer, wait)
    this.#readAt = now
    this.#configuration = this.#discover().catch((error: unknown) => {
      this.#configuration = undefined
      this.#failedAt = performance.now()
      throw new IssuerUnavailableError(this.#options.issuer, FAILURE_COOLDOWN_MS, { cause: error })
    })
    return this.#configuration
  }

  async #discover(): Promise<oidc.Configuration> {
    const { issuer, clientId, clientSecret, fetch } = this.#options
    const server = new URL(issuer)
    const authentication = clientSecret === undefined ? oidc.None() : clientAuthentication(clientSecret)
    const configuration = await oidc.discovery(server, clientId, clientSecret, authentication, {
      [oidc.customFetch]: (url, { method, headers, body, signal }) =>
        fetch(url, { method, headers, body: bodyText(body), signal }),
      // The signature of the ID token is checked, too, although it arrives from the issuer itself.
      execute: [
        oidc.enableNonRepudiationChecks,
        ...(server.protocol === 'http:' ? [oidc.allowInsecureRequests] : []),
      ],
    })
    if (configuration.serverMetadata().issuer !== issuer) {
      throw new Error('the configuration is that of another issuer')
    }
    return configuration
  }

  #explain(error: unknown): Error {
    if (error instanceof LoginError || error instanceof IssuerUnavailableError) return error
    if (error instanceof oidc.AuthorizationResponseError) {
      const { error: issuerError } = error
      return new LoginError('the issuer did not log you in; start again at /login', {
        issuerError,
        cause: error,
      })
    }
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    // Errors of the protocol. All others are those of the connection.
    if (code.startsWith('OAUTH_') && !CONNECTION_ERRORS.includes(code)) {
      const issuerError = error instanceof oidc.ResponseBodyError ? error.error : code
      return new LoginError('the login was not completed; start again at /login', {
        issuerError,
        cause: error,
      })
    }
    return new IssuerUnavailableError(this.#options.issuer, FAILURE_COOLDOWN_MS, { cause: error })
  }
}

/** Sends the secret in the header, as OIDC has it by default, or in the body to an issuer that accepts it there only. */
function clientAuthentication(secret: string): oidc.ClientAuth {
  const inHeader = oidc.ClientSecretBasic(secret)
  const inBody = oidc.ClientSecretPost(secret)
  return (server, ...request) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
    const isInBody = !methods.includes('client_secret_basic') && methods.includes('client_secret_post')
    return (isInBody ? inBody : inHeader)(server, ...request)
  }
}

function bodyText(body: oidc.FetchBody): string | undefined {
  if (body === null || body === undefined) return undefined
  return body instanceof URLSearchParams || typeof body === 'string' ? String(body) : undefined
}
