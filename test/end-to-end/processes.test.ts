import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openDatabase } from '../../src/db/open-database.ts'
import { ProjectScope } from '../../src/db/project-scope.ts'
import { JobStore } from '../../src/jobs/queue/job-store.ts'
import { BrokerCommand, brokerSettings } from '../support/broker-command.ts'
import { HttpServer } from '../support/servers/http-server.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

it('stops all of its processes and exits with 0 on SIGTERM', async () => {
  await using folder = await temporaryFolder()
  using broker = new BrokerCommand('the entry point of the container', ['serve'], brokerSettings(folder.path))
  await broker.waitForLog('working')
  broker.child.kill('SIGTERM')
  expect(await broker.waitForExit()).toBe(0)
  await broker.expectNoProcesses()
})

describe('a process does not start', () => {
  const fail = async (command: string[], settings: Record<string, string>) => {
    await using folder = await temporaryFolder()
    using process = new BrokerCommand(
      'the entry point of the container',
      command,
      brokerSettings(folder.path, settings),
    )
    const status = await process.waitForExit()
    await process.expectNoProcesses()
    return { status, errors: process.stderr }
  }

  it('if its address is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const { status, errors } = await fail(['serve'], { RECORD_BROKER_LISTEN: `127.0.0.1:${port}` })
    server.close()
    expect(status).toBe(2)
    expect(errors).toMatch(
      /^record-broker: RECORD_BROKER_LISTEN: 127\.0\.0\.1:\d+ is in use; choose another port\n$/,
    )
  })

  it.each(['serve', 'worker'])('if its database does not respond: %s', async (command) => {
    const url = 'postgres://broker:s3cret@127.0.0.1:1/broker'
    const { status, errors } = await fail([command], { DATABASE_URL: url })
    expect(status).toBe(1)
    expect(errors).toMatch(/DATABASE_URL: 127\.0\.0\.1:1\/broker: the connection was refused/)
    expect(errors).not.toContain('s3cret')
  })

  it('if another broker uses its data folder', async () => {
    await using folder = await temporaryFolder()
    using first = new BrokerCommand(
      'the entry point of the container',
      ['serve'],
      brokerSettings(folder.path),
    )
    await first.waitForLog('working')
    using second = new BrokerCommand(
      'the entry point of the container',
      ['serve'],
      brokerSettings(folder.path),
    )
    expect(await second.waitForExit()).toBe(1)
    expect(second.stderr).toContain(`is in use by process ${first.child.pid}; stop it`)
    first.child.kill('SIGTERM')
    expect(await first.waitForExit()).toBe(0)
  })

  it('if a setting is invalid', async () => {
    const { status, errors } = await fail(['serve'], { RECORD_BROKER_THREADS: 'many' })
    expect(status).toBe(2)
    expect(errors).toContain('RECORD_BROKER_THREADS: expected a whole number')
  })
})

it('releases the jobs of a worker that cannot renew leases, and exits with 1', async () => {
  // The registry never responds.
  await using registry = await HttpServer.start(() => undefined)
  await using folder = await temporaryFolder()
  const database = await openDatabase(`sqlite:${join(folder.path, 'x.sqlite')}`)
  const store = new JobStore(database).in(ProjectScope.ALL)
  const request = { source: `${registry.host}/app:1`, target: `${registry.host}/app:1-esgz` }
  const { id } = (await store.create({ kind: 'conversion', ...request, request })).job
  using worker = new BrokerCommand(
    'the entry point of the container',
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
  expect((await store.listAttempts({ id, project: 'default' })).map(({ outcome }) => outcome)).toEqual([
    'released',
  ])
  await database.close()
})

it('exits with 130 and removes its files if a command is interrupted', async () => {
  const requested = Promise.withResolvers<void>()
  await using server = await HttpServer.start(() => requested.resolve())
  await using folder = await temporaryFolder()
  const { host } = server
  const command = ['inspect', `${host}/app:1`, '--plain-http', host]
  using running = new BrokerCommand(
    'the entry point of the container',
    command,
    brokerSettings(folder.path, { TMPDIR: folder.path }),
  )
  await requested.promise
  running.child.kill('SIGINT')
  expect(await running.waitForExit()).toBe(130)
  expect(running.stderr).toBe('record-broker: interrupted\n')
  expect(readdirSync(folder.path).filter((name) => name.startsWith('record-broker-'))).toEqual([])
})
