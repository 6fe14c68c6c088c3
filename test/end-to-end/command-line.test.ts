import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RegistryClient } from '../../src/registry/client.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import { command } from '../support/command.ts'
import { buildTar, file } from '../support/images/build-tar.ts'
import { pushImage } from '../support/images/push-image.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const stack = new AsyncDisposableStack()
let broker: BrokerProcess
let host: string
let recordPath: string

beforeAll(async () => {
  const folder = stack.use(await temporaryFolder())
  mkdirSync(join(folder.path, 'data'))
  broker = stack.use(await BrokerProcess.start(join(folder.path, 'data'), { RECORD_BROKER_WORKER: 'none' }))
  host = broker.host
  await using client = new RegistryClient({ plainHttp: [host] })
  const layers = [{ tar: buildTar(file('usr/bin/app', 'app'), file('usr/bin/other', 'other')) }]
  await pushImage(client.repository({ host, repository: 'team/app' }), { layers }, '1.0')
  recordPath = join(folder.path, 'opened.txt')
  writeFileSync(recordPath, '/usr/bin/other\n/no/such\n')
})
afterAll(() => stack.disposeAsync())

it('prints its version', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  expect(await command(['--version'])).toEqual({ status: 0, out: `${version}\n`, err: '' })
})

describe('convert, inspect and verify', () => {
  it('work without a server, with a record from a file or from another eStargz image', async () => {
    const plainHttp = ['--plain-http', host]
    const source = `${host}/team/app:1.0`
    const first = await command([
      'convert',
      source,
      `${host}/team/app:a`,
      '--record',
      recordPath,
      ...plainHttp,
    ])
    expect(first.status).toBe(0)
    expect(first.out).toContain('1 recorded path placed, 1 not in the image')
    const copied = await command([
      'convert',
      source,
      `${host}/team/app:b`,
      '--record-copy',
      `${host}/team/app:a`,
      '--json',
      ...plainHttp,
    ])
    const report = JSON.parse(copied.out) as { images: { layers: { digest: string }[] }[] }
    // The copied record has only paths that the image has, so the layers are the same.
    expect(first.out).toContain(report.images[0]?.layers[0]?.digest.slice(0, 19))

    const inspected = await command(['inspect', `${host}/team/app:a`, ...plainHttp])
    expect(inspected.out).toContain('eStargz, 6 entries with the landmark, 1 prioritized')
    expect(inspected.out).toContain('usr/bin/other')
    const verified = await command(['verify', `${host}/team/app:a`, '--source', source, ...plainHttp])
    expect(verified).toMatchObject({ status: 0, out: expect.stringContaining(': verified') })
    const unconverted = await command(['verify', source, ...plainHttp])
    expect(unconverted).toMatchObject({ status: 1, out: expect.stringContaining('FAILED') })
  })

  it('fail with a one-line error', async () => {
    const missing = await command(['convert', `${host}/no/such:1`, `${host}/a:b`, '--plain-http', host])
    expect(missing).toMatchObject({ status: 3, out: '' })
    expect(missing.err).toMatch(/^record-broker: NOT_FOUND: source: [^\n]+\n$/)
    const twice = ['--record', recordPath, '--record-copy', `${host}/a:b`]
    expect(await command(['convert', `${host}/a:1`, `${host}/a:2`, ...twice])).toMatchObject({
      status: 2,
      err: 'record-broker: give only one of --record, --record-image, --record-copy and --record-match\n',
    })
    expect((await command(['convert', 'UPPER', 'b'])).status).toBe(2)
    expect((await command(['convert', 'a', 'b', '--no-such'])).status).toBe(2)
  })
})

describe('record', () => {
  it('pushes, publishes, lists and shows records with the API', async () => {
    const settings = { RECORD_BROKER_LISTEN: host }
    const image = ['--image', `${host}/team/app:1.0`, '--workload', 'app']
    const pushed = await command(
      ['record', 'push', recordPath, ...image, '--label', 'a=b', '--json'],
      settings,
    )
    const { id } = JSON.parse(pushed.out) as { id: string }
    const published = await command(['record', 'publish', id], settings)
    expect(published.out).toMatch(new RegExp(`^${host}/team/app:record-1.0-app@sha256:`))
    const listed = await command(['record', 'list', '--label', 'a=b', '--server', broker.url])
    expect(listed.out).toContain(`${id} `)
    expect(listed.out).toContain('record-1.0-app@sha256:')
    const content = await command(['record', 'show', id, '--content'], settings)
    expect(content.out).toBe('{"path":"usr/bin/other"}\n{"path":"no/such"}\n')
    const list = await command(['record', 'show', id, '--content', 'soci'], settings)
    expect(JSON.parse(list.out)).toEqual(['/usr/bin/other', '/no/such'])
    const compressed = join(dirname(recordPath), 'compressed.gz')
    writeFileSync(compressed, gzipSync('/bin/sh: 1: x: not found\n'))
    const rejected = await command(['record', 'push', compressed], settings)
    expect(rejected).toMatchObject({
      status: 2,
      err: expect.stringContaining(`UNKNOWN_FORMAT: ${compressed}: `),
    })
    writeFileSync(
      compressed,
      gzipSync('7 openat(AT_FDCWD, "x", O_RDONLY) = 3\n7 openat(AT_FDCWD, "/a", 0) = 4\n'),
    )
    const warned = await command(['record', 'push', compressed], settings)
    expect(warned.out).toContain('warning: 1 relative paths were skipped')
    const missing = await command(['record', 'push', join(dirname(recordPath), 'none')], settings)
    expect(missing).toMatchObject({ status: 2, err: expect.stringMatching(/none cannot be read: ENOENT/) })
    const unknown = await command(['record', 'show', '019ab000-0000-7000-8000-000000000000'], settings)
    expect(unknown).toMatchObject({
      status: 3,
      err: expect.stringContaining(`record-broker: ${broker.url}: RECORD_NOT_FOUND: `),
    })
  })

  it('evaluates, merges, compares, retargets and removes records', async () => {
    const settings = { RECORD_BROKER_LISTEN: host }
    const image = `${host}/team/app:1.0`
    const push = async (name: string, content: string) => {
      const path = join(dirname(recordPath), name)
      writeFileSync(path, content)
      const pushed = await command(
        ['record', 'push', path, '--image', image, '--workload', 'cli', '--json'],
        settings,
      )
      return (JSON.parse(pushed.out) as { id: string }).id
    }
    const log =
      '7 execve("/usr/bin/other", [], 0x1) = 0\n7 openat(AT_FDCWD, "/usr/bin/others", O_RDONLY) = 3\n'
    const ids = [await push('a.strace', log), await push('b.txt', '/usr/bin/app\n')]
    const evaluated = await command(['record', 'evaluate', ids[0] ?? '', image], settings)
    expect(evaluated.out).toContain('1 of 2 recorded paths placed')
    expect(evaluated.out).toContain('missing usr/bin/others; nearest: usr/bin/other')
    const merged = await command(['record', 'merge', ...ids, '--strategy', 'union', '--json'], settings)
    const union = JSON.parse(merged.out) as { id: string; entryCount: number }
    expect(union.entryCount).toBe(3)
    const diff = await command(['record', 'diff', ids[1] ?? '', union.id], settings)
    expect(diff.out).toBe(
      '1 paths in common, 0 of them at another position\n+ usr/bin/other\n+ usr/bin/others\n',
    )
    const retargeted = await command(['record', 'retarget', union.id, image], settings)
    expect(retargeted.out).toContain('1 of 3 paths lost')

    await command(['record', 'publish', ids[1] ?? ''], settings)
    const matching = ['--record-match', 'cli', '--attach-record', '--plain-http', host]
    const converted = await command(['convert', image, `${host}/team/app:matched`, ...matching])
    expect(converted.status).toBe(0)
    expect(converted.out).toContain('matched by digest')

    const retain = ['record', 'retain', '--keep-newest', '1']
    const dryRun = await command(retain, settings)
    const plan = /--plan (\S+)/.exec(dryRun.out)?.[1] ?? ''
    expect(dryRun.out).toContain(`${ids[0]} `)
    const done = await command([...retain, '--plan', plan], settings)
    expect(done.out).toMatch(new RegExp(`^${ids[0]} .* removed: `, 'm'))
    expect((await command(['record', 'show', ids[0] ?? ''], settings)).status).toBe(3)
  })
})

it('reads a record in the format that is named, and warns if the image has none of its paths', async () => {
  const csv = join(dirname(recordPath), 'opened.csv')
  writeFileSync(csv, '/no/such/file,174,25\n')
  const target = `${host}/team/app:none`
  const options = ['--record', csv, '--record-format', 'nydus-list', '--plain-http', host]
  const converted = await command(['convert', `${host}/team/app:1.0`, target, ...options])
  expect(converted.status).toBe(0)
  expect(converted.out).toContain('warning: the image contains none of the recorded paths')
})

describe('an invalid setting', () => {
  it.each([
    ['RECORD_BROKER_LISTEN', '0.0.0.0:8080', 'set RECORD_BROKER_TOKEN'],
    ['RECORD_BROKER_REGISTRY', 'Not A Host', 'not'],
    ['RECORD_BROKER_TYPO', 'x', 'unknown setting'],
  ])('prevents the start with an error that names it: %s', async (name, value, why) => {
    const { status, err } = await command(['serve'], { [name]: value })
    expect(status).toBe(2)
    expect(err).toMatch(new RegExp(`^record-broker: ${name}: [^\\n]*${why}[^\\n]*\\n$`))
  })
})
