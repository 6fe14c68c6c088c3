import { describe, expect, it } from 'vitest'
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
