import { type JWK, SignJWT } from 'jose'
import { HttpServer, type RequestHandler } from '../servers/http-server.ts'
import { createKey, type SigningKey } from './signing-key.ts'

const HOUR_S = 3600

/** The audience of its tokens unless they name another one. */
export const AUDIENCE = 'https://broker.example'

/** An issuer that serves its configuration and its keys, and signs any claims. */
export class TokenIssuer implements AsyncDisposable {
  /** What it responds with instead of its configuration and its keys. */
  override: RequestHandler | undefined
  /** The keys that it serves. */
  served: JWK[] = []
  readonly #server: HttpServer
  readonly #scheme: string
  readonly #keys: SigningKey[] = []

  private constructor(server: HttpServer, scheme: string) {
    this.#server = server
    this.#scheme = scheme
  }

  /** @param tls the certificate and the key in PEM, for HTTPS */
  static async start(tls?: { cert: string; key: string }): Promise<TokenIssuer> {
    const server = await HttpServer.start((request, response) => {
      if (issuer.override) return issuer.override(request, response)
      const documents: Record<string, object> = {
        '/.well-known/openid-configuration': { issuer: issuer.url, jwks_uri: issuer.jwksUri },
        '/keys': { keys: issuer.served },
      }
      const document = documents[request.path]
      response.writeHead(document ? 200 : 404, { 'content-type': 'application/json' })
      response.end(JSON.stringify(document ?? {}))
    }, tls)
    const issuer: TokenIssuer = new TokenIssuer(server, tls ? 'https' : 'http')
    await issuer.rotate()
    return issuer
  }

  get url(): string {
    return `${this.#scheme}://${this.#server.host}`
  }

  get jwksUri(): string {
    return `${this.url}/keys`
  }

  /** The requests that it received, as `METHOD PATH`. */
  get log(): string[] {
    return this.#server.log
  }

  /** The headers of the latest request. */
  get latestHeaders(): Readonly<Record<string, unknown>> {
    return this.#server.received.at(-1)?.headers ?? {}
  }

  /** Replaces the key. Tokens are signed with the new one from now on. */
  async rotate(algorithm = 'RS256'): Promise<void> {
    const key = await createKey(`key-${this.#keys.length + 1}`, algorithm)
    this.#keys.push(key)
    this.served = [key.jwk]
  }

  /** Signs a token that is valid for an hour. Claims that are undefined are left out. */
  sign(
    claims: Readonly<Record<string, unknown>>,
    header: Readonly<Record<string, unknown>> = {},
  ): Promise<string> {
    const key = this.#keys.at(-1)
    if (!key) throw new Error('the issuer has no key')
    const now = Math.floor(Date.now() / 1000)
    const all = { iss: this.url, aud: AUDIENCE, iat: now, nbf: now - 5, exp: now + HOUR_S, ...claims }
    return new SignJWT(all)
      .setProtectedHeader({ alg: key.algorithm, kid: key.kid, typ: 'JWT', ...header })
      .sign(key.privateKey)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server[Symbol.asyncDispose]()
  }
}
