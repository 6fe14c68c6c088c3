import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RegistryClient } from '../../../src/registry/client.ts'
import { BrokerProcess, isolatedEnvironment } from '../../support/broker-process.ts'
import { command, commandLine } from '../../support/command.ts'
import { buildTar, file } from '../../support/images/build-tar.ts'
import { pushImage } from '../../support/images/push-image.ts'
import { GatedRegistry } from '../../support/servers/gated-registry.ts'
import { TestRegistry } from '../../support/servers/test-registry.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { Terminal } from '../../support/terminal.ts'

const stack = new AsyncDisposableStack()
let broker: BrokerProcess
let gate: GatedRegistry
let home: string

beforeAll(async () => {
  const folder = stack.use(await temporaryFolder())
  home = folder.path
  const registry = stack.use(await TestRegistry.start(join(folder.path, 'registry')))
  await using client = new RegistryClient({ plainHttp: [registry.host] })
  const layers = ['a', 'b'].map((name) => ({
    tar: buildTar(file(name, randomBytes(200_000).toString('latin1'))),
  }))
  await pushImage(client.repository({ host: registry.host, repository: 'team/app' }), { layers }, '1.0')
  gate = stack.use(await GatedRegistry.start(registry.url))
  mkdirSync(join(folder.path, 'data'))
  broker = stack.use(
    await BrokerProcess.start(join(folder.path, 'data'), {
      RECORD_BROKER_REGISTRIES: gate.host,
      RECORD_BROKER_PLAIN_HTTP: gate.host,
    }),
  )
})
afterAll(() => stack.disposeAsync())

const settings = () => ({ ...isolatedEnvironment({}), HOME: home, TERM: 'xterm-256color' })

describe('a conversion of a broker', () => {
  const create = (target: string) => [
    'conversion',
    'create',
    `${gate.host}/team/app:1.0`,
    target,
    '--server',
    broker.url,
  ]

  it('shows its layers while it is watched, goes on after Ctrl-C, and says how to cancel it', async () => {
    const target = `${broker.host}/team/app:watched`
    await using terminal = await Terminal.start(commandLine([...create(target), '--wait']), settings())
    await terminal.waitFor(/[0-9a-f]{12} \[[#-]+\] +[1-9]\d?% converting .* downloaded/)
    terminal.type('\u0003')
    expect(await terminal.waitForExit()).toBe(130)
    expect(terminal.isCursorHidden).toBe(false)
    const text = terminal.lines().join('')
    const [, id = ''] = /conversion cancel ([0-9a-f-]{36}) ?--server ?http/.exec(text) ?? []
    expect(text).toContain('interrupted: the conversion goes on')
    const shown = await command(['conversion', 'show', id, '--json', '--server', broker.url])
    expect(JSON.parse(shown.out)).toMatchObject({ id, state: 'running' })

    const watching = command(['conversion', 'watch', id, '--server', broker.url])
    const cancelled = await command(['conversion', 'cancel', id, '--server', broker.url])
    expect(cancelled.status).toBe(0)
    const watched = await watching
    expect(watched).toMatchObject({ status: 1, out: expect.stringContaining(`${id} cancelled`) })
  })

  it('is waited for, and printed as JSON alone', async () => {
    const target = `${broker.host}/team/app:waited`
    const waiting = command([...create(target), '--wait', '--json'])
    gate.release()
    const { status, out } = await waiting
    expect(status).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ state: 'succeeded', report: { target } })
  })
})
