import { describe, expect, it } from 'vitest'
import { BrokerProcess } from '../support/broker-process.ts'
import { temporaryFolder } from '../support/embedded-registry.ts'
import { HttpServer } from '../support/http-server.ts'
import { processesOf, Started, settingsOf, WAYS, type Way } from '../support/started.ts'

describe.each(Object.keys(WAYS) as Way[])('a broker that %s starts', (way) => {
  it('ends with all of its processes and status 0 when it is told to', async () => {
    await using folder = await temporaryFolder()
    using broker = new Started(way, ['serve'], settingsOf(folder.path))
    await broker.logs('working')
    broker.child.kill('SIGTERM')
    const status = await broker.ended()
    // npm may end by the signal itself.
    expect(way === 'npm start' ? [0, 'SIGTERM'] : [0]).toContain(status)
    await broker.leavesNothing()
  })

  it('ends with all of its processes and status 130 after Ctrl-C', async () => {
    await using folder = await temporaryFolder()
    using broker = new Started(way, ['serve'], settingsOf(folder.path))
    await broker.logs('working')
    // A terminal tells every process of the group.
    for (const pid of processesOf(broker.mark)) process.kill(pid, 'SIGINT')
    expect([130, 'SIGINT']).toContain(await broker.ended())
    await broker.leavesNothing()
  })

  it('leaves no process behind when it is killed', async () => {
    await using folder = await temporaryFolder()
    using broker = new Started(way, ['serve'], settingsOf(folder.path))
    await broker.logs('working')
    broker.child.kill('SIGKILL')
    await broker.leavesNothing()
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
  await broker.ask('POST', '/v1/conversions', { source: `${host}/app:1`, target: `${broker.host}/app:1` })
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
  using one = new Started('npm start', command, settingsOf(folder.path))
  await asked.promise
  one.child.kill('SIGKILL')
  await one.leavesNothing()
})
