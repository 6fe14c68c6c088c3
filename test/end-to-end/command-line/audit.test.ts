import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { BrokerProcess } from '../../support/broker-process.ts'
import { command } from '../../support/command.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const TOKEN = 'the-token-of-the-operator'
const stack = new AsyncDisposableStack()
let broker: BrokerProcess

beforeAll(async () => {
  const folder = stack.use(await temporaryFolder())
  const settings = { RECORD_BROKER_WORKER: 'none', RECORD_BROKER_TOKEN: TOKEN }
  broker = stack.use(await BrokerProcess.start(folder.path, settings))
})
afterAll(() => stack.disposeAsync())

it('lists and exports who did what', async () => {
  const settings = { RECORD_BROKER_SERVER: broker.url, RECORD_BROKER_TOKEN: TOKEN }
  for (const name of ['first', 'second']) {
    const rule = ['--name', name, '--source', 'r.example/**', '--target', '{host}/{repository}:{tag}-esgz']
    expect(await command(['rule', 'create', ...rule], settings)).toMatchObject({ status: 0 })
  }
  const refused = await command(['rule', 'list'], {
    ...settings,
    RECORD_BROKER_TOKEN: 'another-token-0123456',
  })
  expect(refused.status).not.toBe(0)
  // Events are written beside the requests that they are about.
  const list = (...args: string[]) => command(['audit', 'list', ...args], settings)
  await vi.waitUntil(async () => (await list()).out.split('\n').length === 4, {
    timeout: 20_000,
    interval: 100,
  })
  const { out } = await list('--since', '1h')
  expect(out.split('\n').slice(0, -1)).toEqual([
    expect.stringMatching(/^\S+Z anonymous: listRules: denied 401 UNAUTHORIZED from 127\.0\.0\.1$/),
    expect.stringMatching(
      /^\S+Z operator operator: createRule [0-9a-f-]{36}: allowed 201 in default from 127\.0\.0\.1$/,
    ),
    expect.stringMatching(/createRule/),
  ])
  expect((await list('--outcome', 'denied')).out.split('\n')).toHaveLength(2)
  expect((await list('--caller', 'nobody')).out).toBe('')
  const exported = await command(['audit', 'export'], settings)
  const lines = exported.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(lines.map(({ action }) => action)).toEqual(['listRules', 'createRule', 'createRule'])
  const rest = await command(['audit', 'export', '--after', lines[1].id], settings)
  expect(
    rest.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual(lines.slice(2))
})

it('shows what a project did before it was deleted', async () => {
  const settings = { RECORD_BROKER_SERVER: broker.url, RECORD_BROKER_TOKEN: TOKEN }
  const run = (...args: string[]) => command(args, settings)
  const rule = ['--name', 'gone', '--source', 'r.example/**', '--target', '{host}/{repository}:{tag}-esgz']
  await run('project', 'set', 'team-b', '--read', '**', '--write', '**')
  expect(await run('rule', 'create', ...rule, '--project', 'team-b')).toMatchObject({ status: 0 })
  expect(await run('project', 'delete', 'team-b')).toMatchObject({ status: 0 })
  const ofProject = async () => (await run('audit', 'list', '--project', 'team-b')).out
  await vi.waitUntil(async () => (await ofProject()).includes('createRule'), {
    timeout: 20_000,
    interval: 100,
  })
  expect(
    (await ofProject())
      .trim()
      .split('\n')
      .filter((line) => !line.includes('in team-b')),
  ).toEqual([])
  const inSettings = await command(['audit', 'export'], { ...settings, RECORD_BROKER_PROJECT: 'team-b' })
  expect(inSettings).toMatchObject({ status: 0, out: expect.stringContaining('createRule') })
})
