import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { temporarySqlite } from '../../../test/support/databases.ts'
import { TokenIssuer } from '../../../test/support/oidc/token-issuer.ts'
import { GITHUB_CLAIMS } from '../../../test/support/oidc/workload-claims.ts'
import { TLS } from '../../../test/support/servers/tls.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { KeyRing } from '../../access/key-ring.ts'
import { ProjectDirectory } from '../../access/projects/project-directory.ts'
import { openLogin, openWorkloadIdentities } from './identities.ts'
import { IssuerConnections } from './issuer-connections.ts'

const stack = new AsyncDisposableStack()
const connections = stack.use(new IssuerConnections({ ca: undefined }))
let folder: string
beforeAll(async () => {
  folder = stack.use(await temporaryFolder()).path
})
afterAll(() => stack.disposeAsync())

const write = async (name: string, content: object | string) => {
  await writeFile(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content))
  return join(folder, name)
}
const lines: string[] = []
const log = pino(
  new Writable({
    write(line, _, done) {
      lines.push(String(line))
      done()
    },
  }),
)
const projects = async () => {
  const opened = await temporarySqlite()
  stack.defer(opened.close)
  return new ProjectDirectory(opened.database)
}
const open = async (oidcPoliciesFile: string | undefined) =>
  openWorkloadIdentities(
    { oidcPoliciesFile, plainHttp: [] },
    { connections, projects: await projects(), log },
  )
const LOGIN = {
  issuer: 'https://issuer.example',
  clientId: 'c',
  clientSecret: undefined,
  scopes: 'openid',
  groupsClaim: 'groups',
  publicUrl: new URL('https://broker.example'),
}
const policy = { name: 'p', issuer: 'https://issuer.example', audience: 'a', scopes: ['records:read'] }

it('reads the policies and the certificate authority that they name', async () => {
  const issuer = stack.use(await TokenIssuer.start(TLS))
  const ca = await write('ca.pem', TLS.cert)
  const conditions = { repository_id: GITHUB_CLAIMS.repository_id }
  const file = await write('policies.json', [{ ...policy, issuer: issuer.url, ca, conditions }])
  const identities = await open(file)
  const token = await issuer.sign({ ...GITHUB_CLAIMS, aud: 'a' })
  expect((await identities?.identify(token))?.identity.issuer).toBe(issuer.url)
  expect(await open(undefined)).toBeUndefined()
})

it('names the setting, the file and the field that is wrong', async () => {
  const missing = join(folder, 'missing')
  await expect(open(missing)).rejects.toThrow(/^RECORD_BROKER_OIDC_POLICIES: ENOENT.*missing/)
  const invalid = await write('invalid.json', [{ ...policy, conditions: {} }])
  await expect(open(invalid)).rejects.toThrow(
    `RECORD_BROKER_OIDC_POLICIES: ${invalid}: [0].conditions: expected`,
  )
  const without = await write('without.json', [{ ...policy, conditions: { sub: 's' }, ca: missing }])
  await expect(open(without)).rejects.toThrow(`RECORD_BROKER_OIDC_POLICIES: ${without}: [0].ca: ENOENT`)
})

it('warns about policies by names', async () => {
  await open(await write('named.json', [{ ...policy, conditions: { repository: 'a/b' } }]))
  expect(lines.map((line) => JSON.parse(line))).toContainEqual(
    expect.objectContaining({ level: 40, policy: 'p', claims: ['repository'] }),
  )
})

it('warns about projects that do not exist', async () => {
  const conditions = { repository_id: '1' }
  const named = ['a', 'b'].map((name) => ({ ...policy, name, conditions, project: 'none' }))
  await open(await write('none.json', [...named, { ...policy, conditions }]))
  const people = await write('people.json', [
    { name: 'p', groups: ['g'], scopes: ['records:read'], project: 'gone' },
  ])
  const services = { database: undefined as never, keys: new KeyRing([randomBytes(32)]), connections }
  await openLogin(
    { login: { ...LOGIN, policiesFile: people } },
    { ...services, projects: await projects(), log },
  )
  const warnings = lines.map((line) => JSON.parse(line)).filter(({ project }) => project !== undefined)
  expect(warnings).toMatchObject([
    { level: 40, setting: 'RECORD_BROKER_OIDC_POLICIES', project: 'none', policies: ['a', 'b'] },
    { level: 40, setting: 'RECORD_BROKER_LOGIN_POLICIES', project: 'gone', policies: ['p'] },
  ])
})

it('opens no login without a key for its cookies', async () => {
  const login = { ...LOGIN, policiesFile: join(folder, 'people.json') }
  const services = {
    database: undefined as never,
    keys: undefined,
    connections,
    projects: await projects(),
    log,
  }
  expect(await openLogin({ login: undefined }, services)).toBeUndefined()
  await expect(openLogin({ login }, services)).rejects.toThrow('RECORD_BROKER_SECRET_KEY')
})
