import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openDatabase } from '../../src/db/open-database.ts'
import { JobStore } from '../../src/jobs/queue/job-store.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { HttpServer } from '../support/servers/http-server.ts'
import { BrokerCommand, brokerSettings } from '../support/broker-command.ts'

it('ends with all of its processes and status 0 when it is told to', async () => {
  await using folder = await temporaryFolder()
  using broker = new BrokerCommand('the entry of the container', ['serve'], brokerSettings(folder.path))
  await broker.waitForLog('working')
  broker.child.kill('SIGTERM')
  expect(await broker.waitForExit()).toBe(0)
  await broker.expectNoProcesses()
})

describe('what keeps a process from its work', () => {
  const failing = async (command: string[], more: Record<string, string>) => {
    await using folder = await temporaryFolder()
    using one = new BrokerCommand('the entry of the container', command, brokerSettings(folder.path, more))
    const status = await one.waitForExit()
    await one.expectNoProcesses()
    return { status, errors: one.stderr }
  }

  it('is an address in use', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const { status, errors } = await failing(['serve'], { RECORD_BROKER_LISTEN: `127.0.0.1:${port}` })
    server.close()
    expect(status).toBe(1)
    expect(errors).toMatch(/^record-broker: EADDRINUSE: .*127\.0\.0\.1/)
  })

  it.each(['serve', 'worker'])('is a database that does not answer: %s', async (command) => {
    const url = 'postgres://broker:s3cret@127.0.0.1:1/broker'
    const { status, errors } = await failing([command], { DATABASE_URL: url })
    expect(status).toBe(1)
    expect(errors).toMatch(/DATABASE_URL: 127\.0\.0\.1:1\/broker: the connection was refused/)
    expect(errors).not.toContain('s3cret')
  })

  it('is a data folder that another broker uses', async () => {
    await using folder = await temporaryFolder()
    using first = new BrokerCommand('the entry of the container', ['serve'], brokerSettings(folder.path))
    await first.waitForLog('working')
    using second = new BrokerCommand('the entry of the container', ['serve'], brokerSettings(folder.path))
    expect(await second.waitForExit()).toBe(1)
    expect(second.stderr).toContain(`is in use by process ${first.child.pid}; stop it`)
    first.child.kill('SIGTERM')
    expect(await first.waitForExit()).toBe(0)
  })

  it('is a wrong setting', async () => {
    const { status, errors } = await failing(['serve'], { RECORD_BROKER_THREADS: 'many' })
    expect(status).toBe(1)
    expect(errors).toContain('RECORD_BROKER_THREADS: expected a whole number')
  })
})

it('a worker that cannot renew leases hands its jobs back, and ends with status 1', async () => {
  // It never answers.
  await using registry = await HttpServer.start(() => undefined)
  await using folder = await temporaryFolder()
  const database = await openDatabase(`sqlite:${join(folder.path, 'x.sqlite')}`)
  const store = new JobStore(database)
  const request = { source: `${registry.host}/app:1`, target: `${registry.host}/app:1-esgz` }
  const { id } = (await store.create({ kind: 'conversion', ...request, request })).job
  using worker = new BrokerCommand(
    'the entry of the container',
    ['worker'],
    brokerSettings(folder.path, {
      DATABASE_URL: `sqlite:${join(folder.path, 'x.sqlite')}`,
      RECORD_BROKER_REGISTRIES: registry.host,
      RECORD_BROKER_PLAIN_HTTP: registry.host,
      NODE_OPTIONS: `--import ${new URL('../support/children/terminate-threads.ts', import.meta.url)}`,
    }),
  )
  expect(await worker.waitForExit()).toBe(1)
  await worker.waitForLog('stopping after an error')
  expect(await store.get('conversion', id)).toMatchObject({ state: 'queued', crashes: 0 })
  expect((await store.listAttempts(id)).map(({ outcome }) => outcome)).toEqual(['handed-back'])
  await database.close()
})

it('a command that is interrupted ends with status 130, and cleans up', async () => {
  const asked = Promise.withResolvers<void>()
  await using server = await HttpServer.start(() => asked.resolve())
  await using folder = await temporaryFolder()
  const { host } = server
  const command = ['inspect', `${host}/app:1`, '--plain-http', host]
  using one = new BrokerCommand(
    'the entry of the container',
    command,
    brokerSettings(folder.path, { TMPDIR: folder.path }),
  )
  await asked.promise
  one.child.kill('SIGINT')
  expect(await one.waitForExit()).toBe(130)
  expect(one.stderr).toBe('record-broker: interrupted\n')
  expect(readdirSync(folder.path).filter((name) => name.startsWith('record-broker-'))).toEqual([])
})
