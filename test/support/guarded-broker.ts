import { randomBytes } from 'node:crypto'
import { AuditTrail } from '../../src/access/audit/audit-trail.ts'
import { KeyRing } from '../../src/access/key-ring.ts'
import { ProjectRules } from '../../src/access/projects/project.ts'
import { ProjectDirectory } from '../../src/access/projects/project-directory.ts'
import { RegistryTokens } from '../../src/access/registry/registry-tokens.ts'
import type { Scope } from '../../src/access/scope.ts'
import { ApiTokens } from '../../src/access/tokens/api-tokens.ts'
import { ProjectScope } from '../../src/db/project-scope.ts'
import { createEmbeddedRegistry } from '../../src/embedded-registry/plugin.ts'
import { tokenChallenge } from '../../src/http/access/registry-challenge.ts'
import { registryGuard } from '../../src/http/access/registry-guard.ts'
import type { AppOptions } from '../../src/http/app.ts'
import { HostNames } from '../../src/oci/host-names.ts'
import { type TestDatabase, temporarySqlite } from './databases.ts'
import { JobApi } from './job-api.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** What an API token of a test may do. */
type Rights = { readonly scopes: readonly Scope[]; readonly read?: string[]; readonly write?: string[] }

/** The operator's token. */
export const OPERATOR_TOKEN = 'the-token-of-the-operator'

/** A broker that demands credentials, with its embedded registry and two projects, `a` and `b`. */
export class GuardedBroker implements AsyncDisposable {
  readonly api: JobApi
  readonly url: string
  readonly database: TestDatabase
  readonly audit: AuditTrail
  readonly registryTokens: RegistryTokens
  readonly #tokens: ApiTokens
  readonly #stack: AsyncDisposableStack

  private constructor(
    fields: Pick<GuardedBroker, 'api' | 'url' | 'database' | 'audit' | 'registryTokens'> & {
      tokens: ApiTokens
      stack: AsyncDisposableStack
    },
  ) {
    this.api = fields.api
    this.url = fields.url
    this.database = fields.database
    this.audit = fields.audit
    this.registryTokens = fields.registryTokens
    this.#tokens = fields.tokens
    this.#stack = fields.stack
  }

  static async start(options: Partial<AppOptions> = {}): Promise<GuardedBroker> {
    await using stack = new AsyncDisposableStack()
    const database = await temporarySqlite()
    stack.defer(database.close)
    const folder = stack.use(await temporaryFolder())
    const keys = new KeyRing([randomBytes(32)])
    const names = new HostNames(['broker.test'])
    const projects = new ProjectDirectory(database.database)
    for (const name of ['a', 'b']) {
      const patterns = [`embedded/${name}/**`, `r.example/${name}/**`]
      const rules = {
        read: [...patterns, 'embedded/shared'],
        write: patterns,
        quotas: { storedBytes: 50_000 },
      }
      await projects.put(name, ProjectRules.parse(rules))
    }
    const tokens = stack.use(new ApiTokens(database.database, { keys }))
    const registryTokens = new RegistryTokens(keys)
    const audit = stack.use(
      new AuditTrail(database.database, {
        days: 365,
        onFailure: (error) => {
          throw error
        },
      }),
    )
    const registryPlugin = await createEmbeddedRegistry({
      root: folder.path,
      ...registryGuard({ names, projects, challenge: tokenChallenge(options.publicUrl) }),
    })
    const api = stack.use(
      await JobApi.open(
        database,
        { names, projects, tokens },
        { token: OPERATOR_TOKEN, registryTokens, registryPlugin, audit, ...options },
      ),
    )
    const url = await api.app.listen({ host: '127.0.0.1', port: 0 })
    return new GuardedBroker({ api, url, database, audit, registryTokens, tokens, stack: stack.move() })
  }

  /** Creates an API token and returns its secret. */
  async createToken(project: string, { scopes, read = ['**'], write = ['**'] }: Rights): Promise<string> {
    const store = this.#tokens.in(ProjectScope.of(project))
    const created = await store.create(
      { project, scopes, read, write },
      { name: `token of ${project}`, createdBy: 'test', lifetimeMs: undefined },
    )
    return created.secret
  }

  /** Sends a request, by default without a credential. */
  async request(
    method: string,
    path: string,
    { token, basic, ...init }: RequestInit & { readonly token?: string; readonly basic?: string } = {},
  ) {
    const authorization =
      basic === undefined
        ? token && `Bearer ${token}`
        : `Basic ${Buffer.from(`any:${basic}`).toString('base64')}`
    const headers = { ...(authorization && { authorization }), ...(init.headers as Record<string, string>) }
    const response = await fetch(new URL(path, this.url), { ...init, method, headers })
    const body = await response.text()
    return { status: response.status, headers: response.headers, body, json: () => JSON.parse(body) }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync()
  }
}
