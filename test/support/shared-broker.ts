import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { KeyRing } from '../../src/access/key-ring.ts'
import { LoginIssuer } from '../../src/access/login/login-issuer.ts'
import { LoginPolicies } from '../../src/access/login/login-policy.ts'
import { LoginSessions } from '../../src/access/login/login-sessions.ts'
import { SCOPES, type Scope } from '../../src/access/scope.ts'
import { WorkloadIdentities } from '../../src/access/workload/workload-identities.ts'
import { parseWorkloadPolicies } from '../../src/access/workload/workload-policy.ts'
import { IssuerConnections } from '../../src/app/access/issuer-connections.ts'
import type { Database } from '../../src/db/database.ts'
import { openDatabase } from '../../src/db/open-database.ts'
import { ProjectScope } from '../../src/db/project-scope.ts'
import { createEmbeddedRegistry } from '../../src/embedded-registry/plugin.ts'
import { BASIC_CHALLENGE } from '../../src/http/access/registry-challenge.ts'
import { registryGuard } from '../../src/http/access/registry-guard.ts'
import { secretSource } from '../../src/http/access/secret-source.ts'
import { CALLBACK_PATH } from '../../src/http/login/routes.ts'
import { HostNames } from '../../src/oci/host-names.ts'
import type { TestDatabase } from './databases.ts'
import { AUDIENCE, TokenIssuer } from './oidc/token-issuer.ts'
import { RegistryApi } from './registry-api.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** The bearer token of the administrator. */
export const OPERATOR = 'the-token-of-the-operator'
const PUBLIC_URL = new URL('https://broker.example')
/** Every scope but that of administrators. */
const TEAM_SCOPES: readonly Scope[] = SCOPES.filter((scope) => scope !== 'admin')

/** The headers with which a caller identifies itself. */
export type Credential = Readonly<Record<string, string>>
/** The ways in which a project's people and programs identify themselves. */
export type Credentials = Readonly<Record<'token' | 'workload' | 'session', Credential>>

/** A response, and what it cost. */
export type Measured = {
  readonly status: number
  readonly text: string
  /** Headers that say something about what was found. */
  readonly headers: Readonly<Record<string, string>>
  readonly statements: number
  readonly registryRequests: number
}

/** How often a request is sent after the first time. */
const REPETITIONS = 3

const SIGNIFICANT_HEADERS = ['content-type', 'location', 'allow', 'retry-after', 'www-authenticate', 'link']

/** The API of a broker with a backing and an embedded registry that several projects share. No worker runs. */
export class SharedBroker implements AsyncDisposable {
  readonly api: RegistryApi
  readonly database: Database
  readonly #credentials: ReadonlyMap<string, Credentials>
  readonly #statements: () => number
  readonly #stack: AsyncDisposableStack

  private constructor(
    api: RegistryApi,
    parts: {
      readonly database: Database
      readonly credentials: ReadonlyMap<string, Credentials>
      readonly statements: () => number
    },
    stack: AsyncDisposableStack,
  ) {
    this.api = api
    this.database = parts.database
    this.#credentials = parts.credentials
    this.#statements = parts.statements
    this.#stack = stack
  }

  /**
   * @param projects the patterns of each project, which it may read and write
   * @param options.open opens the database
   */
  static async open(
    projects: Readonly<Record<string, readonly string[]>>,
    { open }: { readonly open: () => Promise<TestDatabase> },
  ): Promise<SharedBroker> {
    await using stack = new AsyncDisposableStack()
    const keys = new KeyRing([randomBytes(32)])
    const issuer = stack.use(await TokenIssuer.start())
    const connections = stack.use(new IssuerConnections({ ca: undefined }))
    const folder = stack.use(await temporaryFolder())
    let statements = 0
    let database: Database | undefined
    const sessions: LoginSessions[] = []
    const policies = (fields: (name: string) => object) =>
      JSON.stringify(
        Object.keys(projects).map((name) => ({ name, project: name, scopes: TEAM_SCOPES, ...fields(name) })),
      )
    const loginPolicies = LoginPolicies.parse(
      policies((name) => ({ groups: [name] })),
      'groups',
    )
    const api = await RegistryApi.open({
      open: async () => {
        const opened = await open()
        const onStatement = () => {
          statements += 1
        }
        const observer = { onStatement, onBusy: () => {} }
        database = await openDatabase(opened.url, { observer })
        const counted = database
        return {
          database: counted,
          url: opened.url,
          close: async () => {
            await counted.close()
            await opened.close()
          },
        }
      },
      stores: { tokens: { keys }, names: new HostNames([PUBLIC_URL.host]) },
      app: async (services, opened) => {
        const ownSessions = new LoginSessions(opened, keys)
        sessions.push(ownSessions)
        const { names } = services
        const embedded = await createEmbeddedRegistry({
          root: join(folder.path, 'embedded'),
          ...registryGuard({ names, projects: services.projects, challenge: BASIC_CHALLENGE }),
        })
        return {
          token: OPERATOR,
          publicUrl: PUBLIC_URL,
          registryPlugin: embedded,
          callerSources: [
            secretSource(
              new WorkloadIdentities({
                policies: parseWorkloadPolicies(
                  policies((name) => ({
                    issuer: issuer.url,
                    audience: AUDIENCE,
                    conditions: { repository_id: name },
                  })),
                ),
                connect: (connection) => connections.connect(connection, 'RECORD_BROKER_OIDC_POLICIES'),
              }),
            ),
          ],
          login: {
            publicUrl: PUBLIC_URL,
            keys,
            sessions: ownSessions,
            policies: loginPolicies,
            issuer: new LoginIssuer({
              issuer: issuer.url,
              clientId: 'broker',
              scopes: 'openid',
              redirectUri: new URL(CALLBACK_PATH, PUBLIC_URL),
              fetch: connections.connect({ hosts: [new URL(issuer.url).host] }, 'RECORD_BROKER_LOGIN_ISSUER'),
            }),
          },
        }
      },
    })
    stack.use(api)
    const [login] = sessions
    if (!database || !login) throw new Error('the API did not open its database')
    const { services } = api
    const credentials = new Map<string, Credentials>()
    for (const [name, patterns] of Object.entries(projects)) {
      const rules = patterns.map((pattern) => pattern.replace('HOST', api.host))
      const common = { description: '', usesDockerConfig: false, quotas: {} }
      await services.projects.put(name, { ...common, read: rules, write: rules })
      const rights = { project: name, scopes: TEAM_SCOPES, read: ['**'], write: ['**'] }
      const { secret } = await services.tokens
        .in(ProjectScope.ALL)
        .create(rights, { name: `${name}-token`, createdBy: 'test', lifetimeMs: undefined })
      const claims = { sub: `repo:${name}`, repository_id: name }
      const policy = loginPolicies.admit({ groups: [name] })?.digest
      if (policy === undefined) throw new Error('no policy admits the group')
      const session = await login.create({ issuer: issuer.url, subject: name, policy })
      credentials.set(name, {
        token: { authorization: `Bearer ${secret}` },
        workload: { authorization: `Bearer ${await issuer.sign(claims)}` },
        session: {
          cookie: `__Host-record-broker=${session}`,
          host: PUBLIC_URL.host,
          origin: PUBLIC_URL.origin,
        },
      })
    }
    return new SharedBroker(api, { database, credentials, statements: () => statements }, stack.move())
  }

  credentialsOf(project: string): Credentials {
    const credentials = this.#credentials.get(project)
    if (!credentials) throw new RangeError(`no project ${project}`)
    return credentials
  }

  /** Listens on a free port, once. @returns the address */
  async listen(): Promise<string> {
    const { app } = this.api
    return app.server.listening ? app.listeningOrigin : app.listen({ host: '127.0.0.1', port: 0 })
  }

  /** Sends a request, and counts the statements and the requests to the registry that it causes. */
  async send(
    credential: Credential,
    method: string,
    url: string,
    {
      body,
      headers = {},
    }: { readonly body?: string | object | undefined; readonly headers?: Credential } = {},
  ): Promise<Measured> {
    const before = { statements: this.#statements(), requests: this.api.requests.length }
    const response = await this.api.app.inject({
      method: method.toUpperCase() as 'GET',
      url,
      headers: {
        ...credential,
        ...(body !== undefined && {
          'content-type': typeof body === 'string' ? 'text/plain' : 'application/json',
        }),
        ...headers,
      },
      ...(body !== undefined && { payload: body }),
    })
    const shown = SIGNIFICANT_HEADERS.flatMap((name) => {
      const value = response.headers[name]
      return value === undefined ? [] : [[name, String(value)] as const]
    })
    return {
      status: response.statusCode,
      text: response.body,
      headers: Object.fromEntries(shown),
      statements: this.#statements() - before.statements,
      registryRequests: this.api.requests.length - before.requests,
    }
  }

  /**
   * Sends a request several times. The first one may fill caches of the caller's own, and what the broker does in the
   * background counts, too: the least is what the request costs.
   */
  async sendRepeatedly(...request: Parameters<SharedBroker['send']>): Promise<Measured> {
    let least = await this.send(...request)
    for (let i = 0; i < REPETITIONS; i += 1) {
      const next = await this.send(...request)
      const statements = Math.min(least.statements, next.statements)
      const registryRequests = Math.min(least.registryRequests, next.registryRequests)
      least = { ...next, statements, registryRequests }
    }
    return least
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }
}
