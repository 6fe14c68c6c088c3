import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { text as readText } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RegistryClient } from '../../../src/registry/client.ts'
import { isolatedEnvironment } from '../../support/broker-process.ts'
import { commandLine } from '../../support/command.ts'
import { buildTar, file } from '../../support/images/build-tar.ts'
import { pushImage } from '../../support/images/push-image.ts'
import { GatedRegistry } from '../../support/servers/gated-registry.ts'
import { TestRegistry } from '../../support/servers/test-registry.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { ESCAPE, Terminal } from '../../support/terminal.ts'

const LAYERS = 3
const LAYER_BYTES = 200_000

const stack = new AsyncDisposableStack()
let registry: TestRegistry
let home: string

beforeAll(async () => {
  const folder = stack.use(await temporaryFolder())
  home = folder.path
  registry = stack.use(await TestRegistry.start(join(folder.path, 'registry')))
  await using client = new RegistryClient({ plainHttp: [registry.host] })
  const push = (tag: string, count: number) =>
    pushImage(
      client.repository({ host: registry.host, repository: 'team/app' }),
      {
        layers: Array.from({ length: count }, (_, i) => ({
          tar: buildTar(file(`usr/bin/app${i}`, randomBytes(LAYER_BYTES).toString('latin1'))),
        })),
      },
      tag,
    )
  await push('1.0', LAYERS)
  await push('tall', 30)
})
afterAll(() => stack.disposeAsync())

let targets = 0
const newTarget = () => `${registry.host}/team/app:t${targets++}`
const convertArguments = (own: GatedRegistry, target: string, tag = '1.0') => [
  'convert',
  `${own.host}/team/app:${tag}`,
  target,
  '--plain-http',
  own.host,
  '--plain-http',
  registry.host,
]
const settings = (more: Record<string, string> = {}) => ({
  ...isolatedEnvironment({}),
  HOME: home,
  TERM: 'xterm-256color',
  ...more,
})
const CONTROL_SEQUENCE = new RegExp(`${ESCAPE}\\[`)
const COLOR = new RegExp(`${ESCAPE}\\[\\d*m`)

async function hasTag(target: string): Promise<boolean> {
  const { status } = await registry.request('GET', `/v2/team/app/manifests/${target.split(':').at(-1)}`)
  return status === 200
}

describe('on a terminal, a conversion in this process', () => {
  it('shows a bar for each layer, and only its result in the end', async () => {
    await using own = await GatedRegistry.start(registry.url)
    const target = newTarget()
    await using terminal = await Terminal.start(commandLine(convertArguments(own, target)), settings())
    await terminal.waitFor(/converting .*\[#+-+\] +\d\d% 0 of 3 layers done/)
    await terminal.waitFor(/[0-9a-f]{12} \[[#-]+\] +[1-9]\d?% converting .* downloaded/)
    expect(terminal.isCursorHidden).toBe(true)
    expect(terminal.output).toMatch(COLOR)
    own.release()
    expect(await terminal.waitForExit()).toBe(0)
    expect(terminal.isCursorHidden).toBe(false)
    const lines = terminal.lines()
    expect(lines[1]).toMatch(new RegExp(`^${target}@sha256:`))
    expect(lines.join('\n')).not.toMatch(/\[[#-]+\]/)
  })

  it('stops cleanly at Ctrl-C', async () => {
    await using own = await GatedRegistry.start(registry.url)
    const target = newTarget()
    await using terminal = await Terminal.start(commandLine(convertArguments(own, target)), settings())
    await terminal.waitFor(/0 of 3 layers done/)
    terminal.type('\u0003')
    expect(await terminal.waitForExit()).toBe(130)
    expect(terminal.isCursorHidden).toBe(false)
    expect(terminal.lines().join('\n')).toContain('record-broker: interrupted')
    expect(terminal.lines().join('\n')).not.toMatch(/\[[#-]+\]/)
    expect(await hasTag(target)).toBe(false)
  })

  it('follows the size of the terminal', async () => {
    await using own = await GatedRegistry.start(registry.url)
    const size = { columns: 140, rows: 30 }
    await using terminal = await Terminal.start(
      commandLine(convertArguments(own, newTarget())),
      settings(),
      size,
    )
    await terminal.waitFor(/downloaded .* uploaded/)
    await terminal.resize({ columns: 40, rows: 30 })
    const compact = /^device=\S+\nconverting .*%\n( {2}[0-9a-f]{12} \[[#-]{8}\] +\d+%.*\n?){3}$/
    await terminal.waitFor(compact)
    await terminal.resize({ columns: 140, rows: 30 })
    await terminal.waitFor(/downloaded .* uploaded/)
    expect(terminal.lines().filter((line) => line.startsWith('converting'))).toHaveLength(1)
    own.release()
    expect(await terminal.waitForExit()).toBe(0)
  })

  it('summarizes layers that have no line', async () => {
    await using own = await GatedRegistry.start(registry.url)
    const size = { columns: 100, rows: 10 }
    const args = convertArguments(own, newTarget(), 'tall')
    await using terminal = await Terminal.start(commandLine(args), settings(), size)
    await terminal.waitFor(/0 of 30 layers done/)
    await terminal.waitFor(/2[34] more layers: .*waiting/)
    expect(terminal.lines().length).toBeLessThanOrEqual(10)
    own.release()
    expect(await terminal.waitForExit()).toBe(0)
  })

  it('writes no colours with NO_COLOR, and moves no cursor on a dumb terminal', async () => {
    await using own = await GatedRegistry.start(registry.url)
    await using plain = await Terminal.start(
      commandLine(convertArguments(own, newTarget())),
      settings({ NO_COLOR: '1' }),
    )
    await plain.waitFor(/0 of 3 layers done/)
    await using dumb = await Terminal.start(
      commandLine(convertArguments(own, newTarget())),
      settings({ TERM: 'dumb' }),
    )
    await dumb.waitFor(/converting .*: \d+%, 0 of 3 layers done/)
    own.release()
    expect(await plain.waitForExit()).toBe(0)
    expect(await dumb.waitForExit()).toBe(0)
    expect(plain.output).not.toMatch(COLOR)
    expect(dumb.output).not.toMatch(CONTROL_SEQUENCE)
  })
})

describe('without a terminal, a conversion in this process', () => {
  /** Runs a conversion whose layers are released when its standard error matches. */
  async function convertUntil(pattern: RegExp | undefined, more: string[]) {
    await using own = await GatedRegistry.start(registry.url)
    const [program = '', ...args] = commandLine([...convertArguments(own, newTarget()), ...more])
    const child = spawn(program, args, { env: settings(), stdio: ['ignore', 'pipe', 'pipe'] })
    let err = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text
      if (pattern?.test(err)) own.release()
    })
    if (!pattern) own.release()
    const out = await readText(child.stdout)
    return { out, err: () => err }
  }

  it('writes lines at intervals to standard error, and JSON alone to standard output', async () => {
    const { out, err } = await convertUntil(/layers done/, ['--json'])
    expect(JSON.parse(out)).toMatchObject({ images: [{ platform: 'linux/amd64' }] })
    expect(err()).toMatch(/^converting \S+: \d+%, 0 of 3 layers done, .* of .* downloaded, .* uploaded/)
    expect(err()).not.toMatch(CONTROL_SEQUENCE)
  })

  it('writes nothing but the name of the result with --quiet', async () => {
    const { out, err } = await convertUntil(undefined, ['--quiet'])
    expect(out).toMatch(/^\S+:t\d+@sha256:[0-9a-f]{64}\n$/)
    expect(err()).toBe('')
  })
})
