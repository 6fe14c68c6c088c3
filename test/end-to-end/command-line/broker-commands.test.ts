import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { RegistryClient } from '../../../src/registry/client.ts'
import { BrokerProcess, isolatedEnvironment } from '../../support/broker-process.ts'
import { command, commandLine } from '../../support/command.ts'
import { buildTar, file } from '../../support/images/build-tar.ts'
import { pushImage } from '../../support/images/push-image.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const UNKNOWN_ID = '019ab000-0000-7000-8000-000000000000'

const stack = new AsyncDisposableStack()
let broker: BrokerProcess
let folder: string
let image: string

beforeAll(async () => {
  folder = stack.use(await temporaryFolder()).path
  mkdirSync(join(folder, 'data'))
  broker = stack.use(await BrokerProcess.start(join(folder, 'data')))
  await using client = new RegistryClient({ plainHttp: [broker.host] })
  const layers = [{ tar: buildTar(file('usr/bin/app', 'app'), file('usr/bin/other', 'other')) }]
  await pushImage(client.repository({ host: broker.host, repository: 'team/app' }), { layers }, '1.0')
  image = `${broker.host}/team/app:1.0`
  writeFileSync(join(folder, 'opened.txt'), '/usr/bin/other\n')
})
afterAll(() => stack.disposeAsync())

const run = (...args: string[]) => command(args, { RECORD_BROKER_SERVER: broker.url })
/** Runs a command with `--json`, and returns the document. */
async function json(...args: string[]) {
  const { status, out } = await run(...args, '--json')
  expect(status).toBe(0)
  return JSON.parse(out)
}

it('conversions are created with an uploaded record, waited for, listed and shown', async () => {
  const target = `${broker.host}/team/app:1.0-esgz`
  const options = ['--record', join(folder, 'opened.txt'), '--label', 'build=1', '--wait']
  const created = await run('conversion', 'create', image, target, ...options)
  expect(created.status).toBe(0)
  expect(created.out).toContain(`succeeded\n  ${image} to ${target}\n`)
  expect(created.out).toContain('1 recorded path placed')
  const [id = ''] = created.out.split(' ')
  expect(await run('conversion', 'list', '--label', 'build=1', '--quiet')).toMatchObject({ out: `${id}\n` })
  expect((await json('conversion', 'list', '--state', 'failed')).items).toEqual([])
  expect(await json('conversion', 'show', id)).toMatchObject({ id, report: { target } })
  expect((await run('conversion', 'watch', id, '--quiet')).out).toMatch(new RegExp(`^${target}@sha256:`))

  const again = await run('conversion', 'cancel', id)
  expect(again).toMatchObject({ status: 3, err: expect.stringContaining(`${broker.url}: `) })
  const failing = [
    'conversion',
    'create',
    `${broker.host}/team/app:none`,
    `${broker.host}/team/app:x`,
    '--wait',
  ]
  const failed = await run(...failing, '--label', 'build=2')
  expect(failed).toMatchObject({ status: 1, out: expect.stringContaining('NOT_FOUND: ') })
  const matching = await json('conversion', 'retry', '--label', 'build=2', '--dry-run')
  expect(matching.ids).toEqual([failed.out.split(' ')[0]])
  expect((await run('conversion', 'retry', '--label', 'build=2')).out).toContain('1 conversion queued again')
  expect(await run('conversion', 'cancel')).toMatchObject({
    status: 2,
    err: expect.stringContaining('--label'),
  })
  expect((await run('conversion', 'series', '--interval', 'day')).out).toMatch(/\d succeeded, \d failed/)
})

it('invalid requests are refused in the words of the command line', async () => {
  const target = `${broker.host}/team/app:bad`
  const level = await run('conversion', 'create', image, target, '--compression-level', '20')
  expect(level).toMatchObject({ status: 2, err: expect.stringContaining('--compression-level: ') })
  const local = await run('convert', image, target, '--compression-level', '20', '--plain-http', broker.host)
  expect(local).toMatchObject({
    status: 2,
    err: expect.stringContaining('record-broker: --compression-level: '),
  })
  const id = await run('conversion', 'show', 'not-an-id')
  expect(id).toMatchObject({ status: 2, err: expect.stringContaining('<id>: ') })
  expect(await run('conversion', 'show', '..')).toMatchObject({
    status: 2,
    err: expect.stringContaining('<id>: '),
  })
  for (const { err } of [level, local, id]) expect(err).not.toMatch(/querystring|body\.|params\./)
  expect(await run('conversion', 'show', UNKNOWN_ID)).toMatchObject({ status: 3, out: '' })
  const other = await run('conversion', 'create', 'registry.invalid/a:1', target)
  expect(other).toMatchObject({ status: 3, err: expect.stringContaining('HOST_NOT_ALLOWED') })
  for (const name of ['convert', 'conversion create']) {
    const untagged = await run(...name.split(' '), image, `${broker.host}/team/app`)
    expect(untagged).toMatchObject({ status: 2, err: expect.stringContaining('expected a tag') })
  }
})

it('batches are created from lines or JSON, watched and listed', async () => {
  const lines = join(folder, 'images.txt')
  const target = (tag: string) => `${broker.host}/team/app:${tag}`
  writeFileSync(lines, `# two images\n${image} ${target('b1')}\n\n${image} ${target('b2')}\n`)
  const created = await run('batch', 'create', lines, '--label', 'release=1', '--wait')
  expect(created).toMatchObject({ status: 0, out: expect.stringContaining('2 succeeded') })
  const [id = ''] = created.out.split(' ')
  expect((await run('batch', 'list', '--label', 'release=1', '-q')).out).toBe(`${id}\n`)
  expect((await json('batch', 'conversions', id)).items).toHaveLength(2)
  writeFileSync(lines, `${image} ${target('b1')}\n${image}\n`)
  expect(await run('batch', 'create', lines)).toMatchObject({
    status: 2,
    err: `record-broker: ${lines}: line 2: expected SOURCE TARGET\n`,
  })
  expect(await run('batch', 'create', '-')).toMatchObject({
    status: 2,
    err: 'record-broker: standard input: has no conversions\n',
  })
  const document = join(folder, 'batch.json')
  writeFileSync(document, JSON.stringify({ conversions: [{ source: image, target: 'UPPER' }] }))
  const invalid = await run('batch', 'create', document)
  expect(invalid).toMatchObject({
    status: 2,
    err: expect.stringContaining(`${document}: conversions.0.target: `),
  })
})

it('rules are created from options or a file, changed field by field, and deleted', async () => {
  const options = ['--name', 'team', '--source', `${broker.host}/team/**`, '--tag', 'v*', '--record-match']
  const target = ['--target', '{host}/{repository}:{tag}-esgz']
  const rule = await json('rule', 'create', ...options, ...target)
  expect(rule).toMatchObject({ name: 'team', tags: ['v*'], record: { match: {} }, enabled: true })
  expect(await run('rule', 'create', ...options)).toMatchObject({
    status: 2,
    err: 'record-broker: give a file, or --target\n',
  })
  const changed = await json('rule', 'update', rule.id, '--no-enabled', '--except-tag', '*-dev')
  expect(changed).toMatchObject({
    id: rule.id,
    name: 'team',
    tags: ['v*'],
    exceptTags: ['*-dev'],
    enabled: false,
  })
  const path = join(folder, 'rule.json')
  writeFileSync(path, JSON.stringify({ name: 'other', source: '**', target: 'r.test/{name}:{tag}' }))
  expect(await json('rule', 'update', rule.id, path)).toMatchObject({
    name: 'other',
    tags: ['*'],
    enabled: true,
  })
  writeFileSync(path, '{"name": ')
  expect(await run('rule', 'create', path)).toMatchObject({
    status: 2,
    err: expect.stringContaining(`${path} is not JSON`),
  })
  expect((await run('rule', 'list')).out).toContain(`${rule.id} other`)
  expect(await run('rule', 'delete', rule.id)).toMatchObject({ status: 0 })
  expect((await run('rule', 'show', rule.id)).status).toBe(3)
})

it('verifications exit with 1 if they find differences', async () => {
  const converted = `${broker.host}/team/app:v`
  await run('conversion', 'create', image, converted, '--wait')
  const verified = await run('verification', 'create', converted, '--source', image, '--wait')
  expect(verified).toMatchObject({ status: 0, out: expect.stringContaining(': verified') })
  const unconverted = await run('verification', 'create', image, '--wait')
  expect(unconverted).toMatchObject({ status: 1, out: expect.stringContaining('FAILED') })
  expect((await json('verification', 'list')).items).toHaveLength(2)
})

it('images, record images, the cache and records are shown', async () => {
  const pushed = await json(
    'record',
    'push',
    join(folder, 'opened.txt'),
    '--image',
    image,
    '--workload',
    'serve',
    '--publish',
  )
  const listed = await run('record-image', 'list', '--image', image)
  expect(listed.out).toContain(`${broker.host}/team/app:record-1.0-serve@sha256:`)
  const shown = await run('record-image', 'show', `${broker.host}/team/app:record-1.0-serve`)
  expect(shown.out).toContain('  usr/bin/other\n')
  expect((await run('image', 'show', image)).out).toContain('not eStargz')
  expect((await run('image', 'list', '--fresh')).out).toContain(image)
  expect((await run('image', 'list', '--quiet')).out).not.toMatch(/@.*@/)
  expect((await json('image', 'relations', image)).image).toBe(image)
  expect((await run('cache', 'show')).out).toMatch(/\d+ images, .*; in 7 days: /)
  expect((await run('cache', 'clear')).status).toBe(2)
  expect((await run('cache', 'clear', '--all')).out).toMatch(/layers and \d+ images removed/)
  expect((await run('record', 'delete', pushed.id)).status).toBe(0)
})

it('events are printed as they happen, until Ctrl-C', async () => {
  const [program = '', ...args] = commandLine(['events', '--json', '--kind', 'verification'])
  const child = spawn(program, args, {
    env: isolatedEnvironment({ RECORD_BROKER_SERVER: broker.url }),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  const exited = once(child, 'exit')
  // The stream begins with new events: a verification that started before it is not among them.
  await expect
    .poll(
      async () => {
        await run('verification', 'create', image)
        return out
      },
      { timeout: 60_000 },
    )
    .toContain('"queued"')
  child.kill('SIGINT')
  expect(await exited).toEqual([130, null])
  const [first = ''] = out.split('\n')
  expect(JSON.parse(first)).toMatchObject({ data: { kind: 'verification' } })
})
