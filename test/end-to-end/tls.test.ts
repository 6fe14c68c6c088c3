import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Agent, request } from 'undici'
import { expect, it, vi } from 'vitest'
import { OwnCertificate } from '../../src/app/tls/own-certificate.ts'
import { ownConnector } from '../../src/app/tls/own-connector.ts'
import { HostNames } from '../../src/oci/host-names.ts'
import { RegistryClient } from '../../src/registry/client.ts'
import { BrokerProcess, isolatedEnvironment } from '../support/broker-process.ts'
import { buildTar, file } from '../support/images/build-tar.ts'
import { pushImage } from '../support/images/push-image.ts'
import { OTHER_TLS, TLS } from '../support/servers/tls.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const TOKEN = 'a-token-of-some-length'

it('a broker with TLS, its worker, its analyzers and its commands reach it by an address that no certificate names', async () => {
  await using folder = await temporaryFolder()
  await using files = await temporaryFolder()
  const [cert, key] = [join(files.path, 'tls.crt'), join(files.path, 'tls.key')]
  const write = async (pair: typeof TLS) => {
    await writeFile(cert, pair.cert)
    await writeFile(key, pair.key)
  }
  await write(OTHER_TLS)
  const settings = { RECORD_BROKER_TLS_CERT: cert, RECORD_BROKER_TLS_KEY: key, RECORD_BROKER_TOKEN: TOKEN }
  await using broker = await BrokerProcess.start(folder.path, settings)
  const { url, host } = broker
  expect(url).toBe(`https://${host}`)

  const own = new OwnCertificate(cert)
  const agent = new Agent({ connect: ownConnector(own, 5000) })
  const get = async (path: string) => {
    const headers = { authorization: `Bearer ${TOKEN}` }
    const { statusCode, body } = await request(new URL(path, url), { headers, dispatcher: agent })
    return { status: statusCode, body: await body.text() }
  }
  try {
    // A worker runs, and has found that the registry responds.
    const isReady = async () => JSON.parse((await get('/readyz')).body).status === 'ready'
    await vi.waitUntil(isReady, { timeout: 60_000, interval: 100 })

    await using registries = new RegistryClient({
      own: { names: new HostNames([host]), address: host, isCertificate: (der) => own.matches(der) },
      credentials: async () => ({ username: 'test', password: TOKEN }),
    })
    const layers = [{ tar: buildTar(file('usr/bin/app', 'app')) }]
    await pushImage(registries.repository({ host, repository: 'team/app' }), { layers }, '1.0')

    const run = async (...args: string[]) => {
      const env = isolatedEnvironment({ ...settings, RECORD_BROKER_LISTEN: host })
      const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...args], { env: env as never })
      return stdout
    }
    const target = `${host}/team/app:1.0-esgz`
    expect(await run('conversion', 'create', '--wait', `${host}/team/app:1.0`, target)).toContain('sha256:')
    // An analyzer reads the image.
    expect((await get(`/v1/images/${target}`)).status).toBe(200)
    // A command reads the registry itself.
    expect(await run('inspect', target)).toContain('eStargz')

    // The files change while the broker runs.
    const replaced = broker.nextLogLine('the TLS certificate was replaced')
    await write(TLS)
    await replaced
    expect(await run('conversion', 'list')).toContain('succeeded')
    expect((await get('/metrics')).body).toMatch(
      /^record_broker_tls_certificate_expiry_timestamp_seconds.* [1-9]/m,
    )
  } finally {
    await agent.destroy()
  }
})
