import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { BrokerProcess, isolatedEnvironment } from '../../support/broker-process.ts'
import { command, commandLine } from '../../support/command.ts'
import { HttpServer } from '../../support/servers/http-server.ts'
import { TLS } from '../../support/servers/tls.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { Terminal } from '../../support/terminal.ts'

const TOKEN = 'a-token-of-the-broker'

const stack = new AsyncDisposableStack()
let root: string
let broker: BrokerProcess
let other: HttpServer
let home: string
let homes = 0

beforeAll(async () => {
  root = stack.use(await temporaryFolder()).path
  mkdirSync(join(root, 'data'))
  broker = stack.use(
    await BrokerProcess.start(join(root, 'data'), {
      RECORD_BROKER_WORKER: 'none',
      RECORD_BROKER_TOKEN: TOKEN,
    }),
  )
  other = stack.use(
    await HttpServer.start(({ headers }, response) => {
      const isAllowed = headers.authorization === 'Bearer another-token-0123'
      response.writeHead(isAllowed ? 200 : 401, { 'content-type': 'application/json' })
      response.end(
        JSON.stringify(isAllowed ? { items: [] } : { code: 'UNAUTHORIZED', title: 'Unauthorized' }),
      )
    }),
  )
})
afterAll(() => stack.disposeAsync())
beforeEach(() => {
  home = join(root, `home${homes++}`)
  mkdirSync(home)
})

const settings = (more: Record<string, string> = {}) => ({ HOME: home, ...more })
const configPath = () => join(home, '.config', 'record-broker', 'config.json')
const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)
const login = (url: string, token: string) =>
  command(['login', url, '--token-stdin'], settings(), `${token}\n`)

describe('a login', () => {
  it('is checked, stored for this user alone, and used by the commands that follow', async () => {
    const refused = await login(broker.url, 'a-wrong-token-0123')
    expect(refused).toMatchObject({ status: 4, err: expect.stringContaining('refuses the token') })
    expect(existsSync(configPath())).toBe(false)

    const stored = await login(broker.url, TOKEN)
    expect(stored).toMatchObject({ status: 0, out: '', err: expect.stringContaining(configPath()) })
    expect(stored.err).not.toContain(TOKEN)
    expect([modeOf(configPath()), modeOf(join(home, '.config', 'record-broker'))]).toEqual(['600', '700'])
    expect(readdirSync(join(home, '.config', 'record-broker'))).toEqual(['config.json'])
    expect(await command(['record', 'list', '--json'], settings())).toMatchObject({ status: 0 })

    expect((await command(['logout'], settings())).status).toBe(0)
    expect(readFileSync(configPath(), 'utf8')).not.toContain(TOKEN)
    const again = await command(['record', 'list', '--server', broker.url], settings())
    expect(again).toMatchObject({
      status: 4,
      err: expect.stringContaining(`run record-broker login ${broker.url}`),
    })
  })

  it('is asked for on a terminal, without an echo', async () => {
    const environment = { ...isolatedEnvironment({}), HOME: home }
    await using terminal = await Terminal.start(commandLine(['login', broker.url]), environment)
    await terminal.waitFor(/Token for http:/)
    terminal.type(`${TOKEN}\r`)
    expect(await terminal.waitForExit()).toBe(0)
    expect(terminal.output).not.toContain(TOKEN)
    expect(JSON.parse(readFileSync(configPath(), 'utf8'))).toEqual({
      current: broker.url,
      servers: { [broker.url]: { token: TOKEN } },
    })
  })

  it('that is interrupted stores nothing', async () => {
    const environment = { ...isolatedEnvironment({}), HOME: home }
    await using terminal = await Terminal.start(commandLine(['login', broker.url]), environment)
    await terminal.waitFor(/Token for http:/)
    terminal.type('half\u0003')
    expect(await terminal.waitForExit()).toBe(130)
    expect(existsSync(configPath())).toBe(false)
  })

  it('needs a terminal or --token-stdin', async () => {
    const { status, err } = await command(['login', broker.url], settings())
    expect(status).toBe(2)
    expect(err).toContain('--token-stdin')
  })

  it('warns before it sends a token over a network without TLS', async () => {
    const refuse = (_: unknown, response: ServerResponse) => void response.writeHead(401).end()
    // Of this machine, but not one of the names that count as such.
    await using server = await HttpServer.start(refuse, undefined, '127.0.0.2')
    const { err } = await login(`http://${server.host}`, 'a-wrong-token-0123')
    expect(err).toMatch(/^warning: .* has no TLS.*\n.*refuses the token/)
    expect((await login(broker.url, 'a-wrong-token-0123')).err).not.toContain('TLS')
  })

  it('is one of several, and each token goes to its own server only', async () => {
    const otherUrl = `http://${other.host}`
    await login(broker.url, TOKEN)
    await login(otherUrl, 'another-token-0123')
    const listed = await command(['server', 'list'], settings())
    expect(listed.out.split('\n').sort()).toEqual(['', `  ${broker.url}`, `* ${otherUrl}`].sort())
    expect(await command(['conversion', 'list'], settings())).toMatchObject({ status: 0 })
    expect((await command(['server', 'use', broker.url], settings())).status).toBe(0)
    expect(await command(['conversion', 'list'], settings())).toMatchObject({ status: 0 })
    const seen = other.received.map(({ headers }) => headers.authorization)
    expect(seen).not.toContain(`Bearer ${TOKEN}`)

    // The broker's own token is in the environment of its machine.
    const foreign = await command(
      ['conversion', 'list', '--server', otherUrl],
      settings({ RECORD_BROKER_TOKEN: TOKEN, XDG_CONFIG_HOME: join(home, 'empty') }),
    )
    expect(foreign).toMatchObject({
      status: 4,
      err: expect.stringContaining('RECORD_BROKER_TOKEN was not sent'),
    })
    expect(other.received.at(-1)?.headers.authorization).toBeUndefined()
  })

  it('yields to the environment', async () => {
    await login(`http://${other.host}`, 'another-token-0123')
    const environment = settings({ RECORD_BROKER_SERVER: broker.url, RECORD_BROKER_TOKEN: TOKEN })
    const count = other.received.length
    expect(await command(['record', 'list'], environment)).toMatchObject({ status: 0 })
    expect(other.received).toHaveLength(count)
    const wrong = settings({ RECORD_BROKER_SERVER: broker.url, RECORD_BROKER_TOKEN: 'a-wrong-token-0123' })
    const refused = await command(['record', 'list'], wrong)
    expect(refused).toMatchObject({
      status: 4,
      err: expect.stringContaining(`${broker.url} refuses the token`),
    })
    expect(refused.err).not.toContain('a-wrong-token-0123')
  })

  it('is not read from a file that others can read', async () => {
    await login(broker.url, TOKEN)
    chmodSync(configPath(), 0o644)
    const { status, err } = await command(['record', 'list'], settings())
    expect(status).toBe(2)
    expect(err).toContain(`chmod 600 ${configPath()}`)
    expect(err).not.toContain(TOKEN)
    chmodSync(configPath(), 0o600)
    writeFileSync(configPath(), '{"servers":')
    expect(await command(['record', 'list'], settings())).toMatchObject({
      status: 2,
      err: expect.stringContaining(`${configPath()} is not a configuration of record-broker`),
    })
  })
})

describe('a server that is no broker', () => {
  const list = (url: string, more: Record<string, string> = {}) =>
    command(['record', 'list', '--server', url], settings(more))

  it.each([
    [
      'a page',
      (response: import('node:http').ServerResponse) =>
        response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><p>hi'),
    ],
    [
      'an error page',
      (response: import('node:http').ServerResponse) =>
        response.writeHead(404, { 'content-type': 'text/html' }).end('<html>'),
    ],
    [
      'another error',
      (response: import('node:http').ServerResponse) =>
        response.writeHead(404, { 'content-type': 'text/plain' }).end('nothing here'),
    ],
  ])('is recognized by %s', async (_, answer) => {
    await using server = await HttpServer.start((_request, response) => {
      answer(response)
    })
    const { status, err } = await list(`http://${server.host}`)
    expect(status).toBe(2)
    expect(err).toMatch(/^record-broker: http:\S+ is no Record Broker: [^\n]*check --server\n$/)
  })

  it('is not followed to another one, which would get the token', async () => {
    await using target = await HttpServer.start(
      (_request, response) => void response.writeHead(200).end('{}'),
    )
    await using server = await HttpServer.start(
      (_request, response) => void response.writeHead(307, { location: `http://${target.host}/` }).end(),
    )
    const url = `http://${server.host}`
    const { status, err } = await list(url, { RECORD_BROKER_SERVER: url, RECORD_BROKER_TOKEN: TOKEN })
    expect(status).toBe(2)
    expect(err).toContain(`use --server http://${target.host}`)
    expect(target.received).toHaveLength(0)
  })

  it('says what helps if its certificate, its protocol or its address is wrong', async () => {
    await using secure = await HttpServer.start(
      (_request, response) =>
        void response.writeHead(200, { 'content-type': 'application/json' }).end('{"items":[]}'),
      TLS,
    )
    const untrusted = await list(`https://${secure.host}`)
    expect(untrusted).toMatchObject({ status: 5, err: expect.stringContaining('set RECORD_BROKER_CA') })
    const ca = join(home, 'ca.pem')
    writeFileSync(ca, TLS.cert)
    expect(await list(`https://${secure.host}`, { RECORD_BROKER_CA: ca })).toMatchObject({
      status: 0,
      err: '',
    })
    const plain = await list(`https://${other.host}`)
    expect(plain).toMatchObject({ status: 5, err: expect.stringContaining(`use http://${other.host}`) })
    expect((await list(`http://${secure.host}`)).err).toContain(`use https://${secure.host}`)
    const closed = await HttpServer.start(() => undefined)
    await closed[Symbol.asyncDispose]()
    const unreachable = await list(`http://${closed.host}`)
    expect(unreachable).toMatchObject({
      status: 5,
      err: expect.stringContaining(`no response from http://${closed.host}`),
    })
    expect(await list('broker.example')).toMatchObject({
      status: 2,
      err: expect.stringContaining('--server'),
    })
    expect((await list('http://user:secret@broker.example')).err).not.toContain('secret@')
  })
})
