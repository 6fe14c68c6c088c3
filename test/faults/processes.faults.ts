import { describe, expect, it } from 'vitest'
import { BrokerProcess } from '../support/broker-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { HttpServer } from '../support/servers/http-server.ts'
import { findProcesses, BrokerCommand, brokerSettings, LAUNCHERS, type Launcher } from '../support/broker-command.ts'

describe.each(Object.keys(LAUNCHERS) as Launcher[])('a broker that %s starts', (way) => {
  it('ends with all of its processes and status 0 when it is told to', async () => {
    await using folder = await temporaryFolder()
    using broker = new BrokerCommand(way, ['serve'], brokerSettings(folder.path))
    await broker.waitForLog('working')
    broker.child.kill('SIGTERM')
    const status = await broker.waitForExit()
    // npm may end by the signal itself.
    expect(way === 'npm start' ? [0, 'SIGTERM'] : [0]).toContain(status)
    await broker.expectNoProcesses()
  })

  it('ends with all of its processes and status 130 after Ctrl-C', async () => {
    await using folder = await temporaryFolder()
    using broker = new BrokerCommand(way, ['serve'], brokerSettings(folder.path))
    await broker.waitForLog('working')
    // A terminal tells every process of the group.
    for (const pid of findProcesses(broker.marker)) process.kill(pid, 'SIGINT')
    expect([130, 'SIGINT']).toContain(await broker.waitForExit())
    await broker.expectNoProcesses()
  })

  it('leaves no process behind when it is killed', async () => {
    await using folder = await temporaryFolder()
    using broker = new BrokerCommand(way, ['serve'], brokerSettings(folder.path))
    await broker.waitForLog('working')
    broker.child.kill('SIGKILL')
    await broker.expectNoProcesses()
  })
})

it('jobs and requests that do not end share one grace time', async () => {
  const [job, request] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  // It never answers.
  await using registry = await HttpServer.start(({ path }) =>
    (path.startsWith('/v2/shown/') ? request : job).resolve(),
  )
  const { host } = registry
  await using folder = await temporaryFolder()
  await using broker = await BrokerProcess.start(folder.path, {
    // Twice as long is longer than a stop may take.
    RECORD_BROKER_GRACE_SECONDS: '22',
    RECORD_BROKER_REGISTRIES: host,
    RECORD_BROKER_PLAIN_HTTP: host,
  })
  await broker.request('POST', '/v1/conversions', { source: `${host}/app:1`, target: `${broker.host}/app:1` })
  const shown = fetch(new URL(`/v1/images/${host}/shown:1`, broker.url)).catch(() => 'closed')
  await Promise.all([job.promise, request.promise])
  expect(await broker.stop()).toBe(0)
  expect(await shown).toBe('closed')
})

it('a command ends when its wrapper is killed', async () => {
  const asked = Promise.withResolvers<void>()
  await using server = await HttpServer.start(() => asked.resolve())
  await using folder = await temporaryFolder()
  const command = ['inspect', `${server.host}/app:1`, '--plain-http', server.host]
  using one = new BrokerCommand('npm start', command, brokerSettings(folder.path))
  await asked.promise
  one.child.kill('SIGKILL')
  await one.expectNoProcesses()
})
