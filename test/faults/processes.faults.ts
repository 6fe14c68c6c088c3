import { describe, expect, it } from 'vitest'
import {
  BrokerCommand,
  brokerSettings,
  findProcesses,
  LAUNCHERS,
  type Launcher,
} from '../support/broker-command.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import { HttpServer } from '../support/servers/http-server.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

describe.each(Object.keys(LAUNCHERS) as Launcher[])('a broker started by %s', (launcher) => {
  it('stops all of its processes and exits with 0 on SIGTERM', async () => {
    await using folder = await temporaryFolder()
    using broker = new BrokerCommand(launcher, ['serve'], brokerSettings(folder.path))
    await broker.waitForLog('working')
    broker.child.kill('SIGTERM')
    const status = await broker.waitForExit()
    // npm may die from the signal itself.
    expect(launcher === 'npm start' ? [0, 'SIGTERM'] : [0]).toContain(status)
    await broker.expectNoProcesses()
  })

  it('stops all of its processes and exits with 130 on Ctrl-C', async () => {
    await using folder = await temporaryFolder()
    using broker = new BrokerCommand(launcher, ['serve'], brokerSettings(folder.path))
    await broker.waitForLog('working')
    // A terminal sends SIGINT to every process of the group.
    for (const pid of findProcesses(broker.marker)) process.kill(pid, 'SIGINT')
    expect([130, 'SIGINT']).toContain(await broker.waitForExit())
    await broker.expectNoProcesses()
  })

  it('leaves no process behind if it is killed', async () => {
    await using folder = await temporaryFolder()
    using broker = new BrokerCommand(launcher, ['serve'], brokerSettings(folder.path))
    await broker.waitForLog('working')
    broker.child.kill('SIGKILL')
    await broker.expectNoProcesses()
  })
})

it('stops within one grace time although neither a job nor a request ends', async () => {
  const [job, request] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  // The registry never responds.
  await using registry = await HttpServer.start(({ path }) =>
    (path.startsWith('/v2/inspected/') ? request : job).resolve(),
  )
  const { host } = registry
  await using folder = await temporaryFolder()
  await using broker = await BrokerProcess.start(folder.path, {
    // Two grace times would exceed the time limit of the test.
    RECORD_BROKER_GRACE_SECONDS: '22',
    RECORD_BROKER_REGISTRIES: host,
    RECORD_BROKER_PLAIN_HTTP: host,
  })
  await broker.request('POST', '/v1/conversions', { source: `${host}/app:1`, target: `${broker.host}/app:1` })
  const inspection = fetch(new URL(`/v1/images/${host}/inspected:1`, broker.url)).catch(() => 'closed')
  await Promise.all([job.promise, request.promise])
  expect(await broker.stop()).toBe(0)
  expect(await inspection).toBe('closed')
})

it('ends a command whose wrapper is killed', async () => {
  const requested = Promise.withResolvers<void>()
  await using server = await HttpServer.start(() => requested.resolve())
  await using folder = await temporaryFolder()
  const command = ['inspect', `${server.host}/app:1`, '--plain-http', server.host]
  using running = new BrokerCommand('npm start', command, brokerSettings(folder.path))
  await requested.promise
  running.child.kill('SIGKILL')
  await running.expectNoProcesses()
})
