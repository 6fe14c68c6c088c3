import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { BrokerProcess } from '../../support/broker-process.ts'
import { type CommandResult, command } from '../../support/command.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const OPERATOR = 'the-token-of-the-operator'
const SECRET = /^rbt_[0-9A-Za-z]{38}\n$/

const stack = new AsyncDisposableStack()
let root: string
let broker: BrokerProcess
let profile: string

beforeAll(async () => {
  root = stack.use(await temporaryFolder()).path
  mkdirSync(join(root, 'data'))
  profile = join(root, 'profile.txt')
  writeFileSync(profile, '/usr/bin/app\n')
  const settings = { RECORD_BROKER_WORKER: 'none', RECORD_BROKER_TOKEN: OPERATOR }
  broker = stack.use(await BrokerProcess.start(join(root, 'data'), settings))
})
afterAll(() => stack.disposeAsync())

/** Runs a command with a token. */
function as(
  token: string,
  args: readonly string[],
  more: Record<string, string> = {},
): Promise<CommandResult> {
  return command(args, { RECORD_BROKER_SERVER: broker.url, RECORD_BROKER_TOKEN: token.trim(), ...more })
}

async function createToken(...args: string[]): Promise<{ readonly token: string; readonly id: string }> {
  const { out } = await as(OPERATOR, ['token', 'create', ...args, '--project', 'default', '--json'])
  return JSON.parse(out)
}

it('an administrator gives a team a project and tokens that can do no more than they say', async () => {
  const set = await as(OPERATOR, [
    ...[
      'project',
      'set',
      'team-a',
      '--description',
      'Team A',
      '--read',
      'r.test/**',
      '--write',
      'r.test/a/**',
    ],
    ...['--quota', 'records=5', '--quota', 'storedBytes=2GiB'],
  ])
  expect(set).toEqual({
    status: 0,
    err: '',
    out: 'team-a: Team A\n  reads r.test/**; writes r.test/a/**\n  at most: records 5, stored 2.00 GiB\n',
  })

  const created = await as(OPERATOR, [
    ...[
      'token',
      'create',
      'ci',
      '--project',
      'team-a',
      '--scope',
      'records:read',
      '--scope',
      'records:write',
    ],
    ...['--read', 'r.test/a/**', '--expires', '30d'],
  ])
  expect(created).toMatchObject({ status: 0, out: expect.stringMatching(SECRET) })
  expect(created.err).toMatch(/token .*, ci, of team-a: records:read, records:write; reads r\.test\/a\/\*\*/)
  expect(created.err).not.toContain(created.out.trim())

  expect(await as(created.out, ['whoami'])).toMatchObject({
    status: 0,
    out: expect.stringMatching(/^ci \(token\)\n {2}project team-a\n {2}records:read, records:write\n/),
  })
  const pushed = await as(created.out, ['record', 'push', profile, '--quiet'])
  expect(pushed).toMatchObject({ status: 0, err: '' })
  const id = pushed.out.trim()
  const denied = await as(created.out, ['record', 'delete', id])
  expect(denied).toMatchObject({ status: 3, out: '' })
  expect(denied.err).toContain('ACCESS_DENIED: this needs the scope records:delete')
  expect(await as(created.out, ['token', 'list'])).toMatchObject({ status: 3 })
  expect((await as(created.out, ['record', 'list', '--project', 'default'])).err).toContain(
    'this credential belongs to the project team-a',
  )

  const listIn = (project: string) =>
    as(OPERATOR, ['record', 'list', '-q'], { RECORD_BROKER_PROJECT: project })
  expect([(await listIn('team-a')).out, (await listIn('default')).out]).toEqual([`${id}\n`, ''])
  const shown = await as(OPERATOR, ['project', 'show', 'team-a'], { RECORD_BROKER_PROJECT: 'none' })
  expect(shown.out).toBe(
    'team-a: Team A\n  reads r.test/**; writes r.test/a/**\n  records: 1 of 5\n  queued jobs: 0\n  running jobs: 0\n  stored: 0 B of 2.00 GiB\n',
  )
  const full = await as(OPERATOR, ['project', 'delete', 'team-a'])
  expect(full).toMatchObject({ status: 3, err: expect.stringContaining('PROJECT_IN_USE') })
})

it('a project is changed option by option', async () => {
  const set = async (...args: string[]) =>
    JSON.parse((await as(OPERATOR, ['project', 'set', 'team-c', '--json', ...args])).out)
  await set('--read', 'r.test/**', '--quota', 'records=5', '--quota', 'runningJobs=2')
  expect(await set('--quota', 'records=none', '--write', 'r.test/c/**')).toMatchObject({
    read: ['r.test/**'],
    write: ['r.test/c/**'],
    quotas: { runningJobs: 2 },
  })
  expect(await set('--no-read', '--docker-config')).toMatchObject({ read: [], usesDockerConfig: true })
  expect((await as(OPERATOR, ['project', 'list', '--quiet'])).out.split('\n')).toContain('team-c')
  expect(await as(OPERATOR, ['project', 'delete', 'team-c'])).toMatchObject({
    status: 0,
    out: 'project team-c was deleted\n',
  })
  for (const args of [
    ['--quota', 'jobs=1'],
    ['--quota', 'records=1KiB'],
    ['--read', 'r.test/*'],
  ])
    expect(await as(OPERATOR, ['project', 'set', 'team-c', ...args])).toMatchObject({ status: 2 })
  expect((await as(OPERATOR, ['project', 'set', 'team-c', '--quota', 'records=x'])).err).toContain(
    'records: expected a whole number, or none',
  )
  expect(await as(OPERATOR, ['project', 'delete', 'default'])).toMatchObject({
    status: 3,
    err: expect.stringContaining('record-broker project set default'),
  })
})

it('a token that may not wait names what it has created', async () => {
  const { token } = await createToken('blind', '--scope', 'conversions:write')
  const image = `${broker.host}/team/app:1`
  const images = join(root, 'images.txt')
  writeFileSync(images, `${image} ${image}-esgz\n`)
  for (const [kind, ...args] of [
    ['conversion', image, `${image}-esgz`],
    ['verification', image],
    ['batch', images],
  ] as const) {
    const { status, out, err } = await as(token, [kind, 'create', ...args, '--wait', '--quiet'])
    expect([status, out]).toEqual([3, ''])
    expect(err).toContain('ACCESS_DENIED: this needs the scope conversions:read')
    const id = new RegExp(`the ${kind} ([0-9a-f-]{36}) was created, and goes on`).exec(err)?.[1] ?? ''
    expect(await as(OPERATOR, [kind, 'cancel', id])).toMatchObject({ status: 0 })
  }
  const missing = ['--record-id', '019ab000-0000-7000-8000-000000000000']
  const refused = await as(token, ['conversion', 'create', image, `${image}-esgz`, ...missing])
  expect(refused.err).toContain('--record-id: record')
})

it('a token says what it may do beside the rules of its project', async () => {
  const created = await as(OPERATOR, [
    'token',
    'create',
    'all',
    '--scope',
    'records:read',
    '--project',
    'default',
  ])
  expect(created.err).toContain(
    'reads everything that its project may; writes everything that its project may',
  )
  await as(OPERATOR, ['project', 'set', 'readers', '--read', 'r.test/**'])
  const { out } = await as(OPERATOR, [
    'token',
    'create',
    'reader',
    '--scope',
    'records:read',
    '--project',
    'readers',
  ])
  expect((await as(out, ['whoami'])).out).toContain('reads only r.test/**\n  writes nothing\n')
  const refused = await as(OPERATOR, ['token', 'create', 'guess', '--scope', 'records:read'])
  expect(refused).toMatchObject({ status: 2, err: expect.stringMatching(/PROJECT_REQUIRED: --project: /) })
})

it('a token is replaced, revoked and expires, and its holder learns why', async () => {
  const first = await createToken('rotating', '--scope', 'records:read')
  const second = await as(OPERATOR, ['token', 'rotate', first.id, '--overlap', '1h', '--quiet'])
  expect(second).toMatchObject({ status: 0, err: '', out: expect.stringMatching(SECRET) })
  expect(await as(OPERATOR, ['token', 'rotate', first.id])).toMatchObject({
    status: 3,
    err: expect.stringMatching(/was replaced by (\S+); rotate \1 instead/),
  })
  const list = (token: string) => as(token, ['record', 'list', '--quiet'])
  expect((await list(first.token)).status).toBe(0)
  const third = await createToken('other', '--scope', 'records:read', '--expires', 'never')
  const fourth = await as(OPERATOR, ['token', 'rotate', third.id, '--overlap', '0s'])
  expect((await list(fourth.out)).status).toBe(0)
  expect(await list(third.token)).toMatchObject({
    status: 4,
    err: expect.stringContaining('was replaced by'),
  })

  const revoked = await as(OPERATOR, ['token', 'revoke', first.id])
  expect(revoked).toMatchObject({ status: 0, out: `token ${first.id} was revoked\n` })
  expect(await list(first.token)).toMatchObject({ status: 4, err: expect.stringContaining('was revoked at') })
  expect((await list(second.out)).status).toBe(0)

  const short = await createToken('short', '--scope', 'records:read', '--expires', '1s')
  await expect
    .poll(() => list(short.token), { timeout: 60_000 })
    .toMatchObject({
      status: 4,
      err: expect.stringContaining('expired at'),
    })
  const listed = (await as(OPERATOR, ['token', 'list', '--state', 'revoked'])).out
  expect(listed).toContain(`${first.id} ${first.token.slice(0, 10)}… rotating, of default (revoked`)
  expect(listed).not.toContain(first.token.slice(10))
})

it('a login works with the token of a team', async () => {
  const { token } = await createToken('person', '--scope', 'rules:write')
  const home = join(root, 'home')
  mkdirSync(home)
  const login = await command(['login', broker.url, '--token-stdin'], { HOME: home }, `${token}\n`)
  expect(login).toMatchObject({ status: 0 })
  expect((await command(['whoami', '--quiet'], { HOME: home })).out).toBe('person\n')
})

it('no secret is on the disk, and the key is for the owner only', async () => {
  const { token } = await createToken('hidden', '--scope', 'records:read')
  expect((await as(token, ['whoami'])).status).toBe(0)
  const files = readdirSync(join(root, 'data'), { recursive: true, encoding: 'utf8' })
    .map((name) => join(root, 'data', name))
    .filter((path) => statSync(path).isFile())
  expect(files.some((path) => path.endsWith('.sqlite'))).toBe(true)
  const contents = files.map((path) => readFileSync(path, 'latin1'))
  // The list shows the first ten characters.
  expect(contents.some((text) => text.includes(token.slice(0, 10)))).toBe(true)
  expect(contents.filter((text) => text.includes(token.slice(10)))).toEqual([])
  expect(statSync(join(root, 'data', 'secret.key')).mode & 0o777).toBe(0o600)
})
