import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, type JWK } from 'jose'
import Provider, { type Configuration } from 'oidc-provider'
import { loginStore } from './login-store.ts'
import { createKey } from './signing-key.ts'

export const CLIENT_ID = 'record-broker'
export const CLIENT_SECRET = 'a-client-secret-of-some-length'

const TTL_S = 600

/** How a client sends its secret. */
export type ClientAuthentication = 'none' | 'client_secret_basic' | 'client_secret_post'

type Person = { readonly claims: Readonly<Record<string, unknown>> }

/** An OIDC issuer at which one person logs in without being asked. */
export class LoginProvider implements AsyncDisposable {
  readonly url: string
  /** Who logs in next; undefined refuses the login. */
  person: string | undefined
  /** The addresses that browsers asked for. */
  readonly authorizations: URL[] = []
  readonly #server: Server

  private constructor(url: string, server: Server) {
    this.url = url
    this.#server = server
  }

  /**
   * @param people their claims by their subjects. The claims are shown by the userinfo endpoint alone, as OIDC
   *   recommends
   * @param options.redirectUri where the browser may be sent back to
   * @param options.authentication how the client sends its secret; `none`: it has none
   */
  static async start(
    people: Readonly<Record<string, Person['claims']>>,
    {
      redirectUri,
      authentication = 'client_secret_basic',
    }: { readonly redirectUri: string; readonly authentication?: ClientAuthentication },
  ): Promise<LoginProvider> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const login = new LoginProvider(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, server)
    const provider = new Provider(login.url, {
      ...configuration(people, redirectUri, authentication),
      jwks: { keys: [await SIGNING_KEY] },
    })
    const handle = provider.callback()
    server.on('request', async (request, response) => {
      const url = new URL(request.url ?? '/', login.url)
      if (url.pathname === '/auth') login.authorizations.push(url)
      if (!url.pathname.startsWith('/interaction/')) return handle(request, response)
      const result = login.person
        ? { login: { accountId: login.person } }
        : { error: 'access_denied', error_description: '<script>alert(1)</script>' }
      await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false })
    })
    return login
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }
}

const SIGNING_KEY = signingKey()

async function signingKey(): Promise<JWK> {
  const { kid, privateKey } = await createKey('login', 'RS256')
  return { ...(await exportJWK(privateKey)), kid, use: 'sig' }
}

function configuration(
  people: Readonly<Record<string, Person['claims']>>,
  redirectUri: string,
  authentication: ClientAuthentication,
): Configuration {
  const claimNames = new Set(Object.values(people).flatMap((claims) => Object.keys(claims)))
  return {
    adapter: loginStore(),
    clients: [
      {
        client_id: CLIENT_ID,
        redirect_uris: [redirectUri],
        token_endpoint_auth_method: authentication,
        ...(authentication !== 'none' && { client_secret: CLIENT_SECRET }),
      },
    ],
    clientAuthMethods: [authentication],
    cookies: { keys: ['a-key-of-a-test'] },
    claims: { openid: ['sub'], profile: [...claimNames] },
    ttl: { Interaction: TTL_S, Grant: TTL_S, Session: TTL_S, AccessToken: TTL_S, IdToken: TTL_S },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    findAccount: async (_, id) => {
      const claims = people[id]
      return claims && { accountId: id, claims: async () => ({ sub: id, ...claims }) }
    },
    // Nobody is asked for consent.
    loadExistingGrant: async ({ oidc }) => {
      const { client, session } = oidc
      const grant = new oidc.provider.Grant({
        clientId: client?.clientId ?? '',
        accountId: session?.accountId ?? '',
      })
      grant.addOIDCScope('openid profile email')
      await grant.save()
      return grant
    },
  }
}
