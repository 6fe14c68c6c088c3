import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { RegistryClient } from '../../src/registry/client.ts'
import { GuardedBroker } from '../support/guarded-broker.ts'
import { buildTar, dir, file } from '../support/images/build-tar.ts'
import { pushImage } from '../support/images/push-image.ts'
import { Containerd } from '../support/peers/containerd.ts'
import { describeWithPeers } from '../support/peers/peers.ts'
import { buildRegistryTool } from '../support/peers/registry-tools.ts'
import { runProgram } from '../support/run-program.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const stack = new AsyncDisposableStack()
let broker: GuardedBroker
let folder: string
let host: string
let writer: string
let reader: string

beforeAll(async () => {
  broker = stack.use(await GuardedBroker.start())
  folder = stack.use(await temporaryFolder()).path
  host = new URL(broker.url).host
  writer = await broker.createToken('a', { scopes: ['registry:pull', 'registry:push'] })
  reader = await broker.createToken('a', { scopes: ['registry:pull'], read: ['embedded/a/app'] })
  // The broker's own client follows the challenge as well.
  await using registries = new RegistryClient({
    plainHttp: [host],
    credentials: async () => ({ username: 'ci', password: writer }),
  })
  const layers = [{ tar: buildTar(dir('etc'), file('etc/name', 'a'.repeat(10_000))) }]
  for (const name of ['a/app', 'a/other']) {
    const repository = registries.repository({ host, repository: name })
    const pushed = await pushImage(repository, { layers })
    await repository.putManifest((await repository.getManifest(pushed.digest)).bytes, pushed.mediaType, 'v1')
  }
})
afterAll(() => stack.disposeAsync())

const rejected = (running: Promise<string>) =>
  running.then(
    () => 'succeeded',
    (error: Error) => error.message,
  )

describeWithPeers(['skopeo'], 'skopeo with API tokens', () => {
  const skopeo = (...args: string[]) => runProgram('skopeo', '--insecure-policy', ...args)
  const from = (name: string, token: string, to: string) =>
    skopeo('copy', '--src-tls-verify=false', '--src-creds', `ci:${token}`, `docker://${host}/${name}`, to)
  const to = (name: string, token: string, source: string) =>
    skopeo(
      'copy',
      '--dest-tls-verify=false',
      '--dest-creds',
      `ci:${token}`,
      source,
      `docker://${host}/${name}`,
    )

  it('pulls and pushes what they allow, and nothing else', async () => {
    const pulled = `dir:${join(folder, 'pulled')}`
    await from('a/app:v1', reader, pulled)
    await to('a/copy:v1', writer, pulled)
    expect(await rejected(from('a/other:v1', reader, `dir:${join(folder, 'none')}`))).toMatch(
      /denied|unauthorized/i,
    )
    expect(await rejected(to('a/app:v2', reader, pulled))).toMatch(/denied|unauthorized/i)
    expect(await rejected(to('b/app:v1', writer, pulled))).toMatch(/denied|unauthorized/i)
    expect(await rejected(from('a/app:v1', 'wrong', `dir:${join(folder, 'none')}`))).toMatch(/unauthorized/i)
  })

  it('pushes with patterns to write alone', async () => {
    const pulled = `dir:${join(folder, 'to-drop')}`
    await from('a/app:v1', writer, pulled)
    const scopes = ['registry:pull', 'registry:push'] as const
    const dropper = await broker.createToken('a', { scopes, read: [], write: ['embedded/a/drop'] })
    for (const attempt of ['new', 'again']) await to(`a/drop:${attempt}`, dropper, pulled)
    await from('a/drop:new', dropper, `dir:${join(folder, 'dropped')}`)
    expect(await rejected(from('a/app:v1', dropper, `dir:${join(folder, 'none')}`))).toMatch(
      /denied|unauthorized/i,
    )
  })

  it('logs in, lists tags and deletes', async () => {
    const authfile = join(folder, 'auth.json')
    await skopeo('login', '--tls-verify=false', '--authfile', authfile, '-u', 'ci', '-p', writer, host)
    const image = `docker://${host}/a/copy`
    const listed = await skopeo('list-tags', '--tls-verify=false', '--authfile', authfile, image)
    expect(JSON.parse(listed).Tags).toEqual(['v1'])
    await skopeo('delete', '--tls-verify=false', '--authfile', authfile, `${image}:v1`)
  })
})

describeWithPeers(['go'], 'crane with API tokens', () => {
  const crane = async (token: string, ...args: string[]) => {
    const config = join(folder, `docker-${token.slice(-8)}`)
    await mkdir(config, { recursive: true })
    const auth = Buffer.from(`ci:${token}`).toString('base64')
    await writeFile(join(config, 'config.json'), JSON.stringify({ auths: { [host]: { auth } } }))
    const tool = await buildRegistryTool('crane')
    return runProgram('env', `DOCKER_CONFIG=${config}`, tool, '--insecure', ...args)
  }

  it('copies with a mount, lists and deletes', { timeout: 300_000 }, async () => {
    await crane(writer, 'copy', `${host}/a/app:v1`, `${host}/a/mounted:v1`)
    expect(await crane(writer, 'ls', `${host}/a/mounted`)).toBe('v1\n')
    const catalog = (await crane(writer, 'catalog', host)).trim().split('\n')
    expect(catalog).toEqual(expect.arrayContaining(['a/app', 'a/mounted']))
    expect((await crane(reader, 'catalog', host)).trim()).toBe('a/app')
    const digest = (await crane(writer, 'digest', `${host}/a/mounted:v1`)).trim()
    await crane(writer, 'delete', `${host}/a/mounted@${digest}`)
    expect(await rejected(crane(reader, 'copy', `${host}/a/app:v1`, `${host}/a/app:v3`))).toMatch(
      /denied|unauthorized/i,
    )
    expect(await rejected(crane(reader, 'manifest', `${host}/a/other:v1`))).toMatch(/denied|unauthorized/i)
  })
})

describeWithPeers(['containerd'], 'containerd with API tokens', () => {
  it('pulls and pushes', async () => {
    await using daemon = await Containerd.start()
    const ctr = (...args: string[]) =>
      runProgram('ctr', '--address', `${daemon.folder}/containerd.sock`, '--namespace', 'test', ...args)
    await ctr('content', 'fetch', '--plain-http', '--user', `ci:${reader}`, `${host}/a/app:v1`)
    await ctr('images', 'tag', `${host}/a/app:v1`, `${host}/a/ctr:v1`)
    await ctr('images', 'push', '--plain-http', '--user', `ci:${writer}`, `${host}/a/ctr:v1`)
    const refused = rejected(
      ctr('images', 'push', '--plain-http', '--user', `ci:${reader}`, `${host}/a/ctr:v1`),
    )
    expect(await refused).toMatch(/403|401|denied|unauthorized/i)
  })
})
