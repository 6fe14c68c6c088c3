import { X509Certificate } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Agent, request } from 'undici'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { HttpServer } from '../../../test/support/servers/http-server.ts'
import { OTHER_TLS, TLS } from '../../../test/support/servers/tls.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { OwnCertificate } from '../../app/tls/own-certificate.ts'
import { pinnedConnector } from './pinned-connector.ts'

const stack = new AsyncDisposableStack()
let server: HttpServer
beforeAll(async () => {
  // Neither its names nor its issuer are those that a client of 127.0.0.1 expects.
  server = stack.use(await HttpServer.start((_, response) => void response.end('hello'), OTHER_TLS))
})
afterAll(() => stack.disposeAsync())

async function get(isExpected: (certificate: Buffer) => boolean): Promise<string> {
  const agent = new Agent({ connect: pinnedConnector(isExpected, { timeout: 5000 }) })
  try {
    const { body } = await request(`https://${server.host}/`, {
      headers: { authorization: 'Bearer secret' },
      dispatcher: agent,
    })
    return await body.text()
  } finally {
    await agent.destroy()
  }
}

it('connects to the server with the expected certificate only', async () => {
  const { raw } = new X509Certificate(OTHER_TLS.cert)
  expect(await get((certificate) => certificate.equals(raw))).toBe('hello')
  const requests = server.received.length
  await expect(get(() => false)).rejects.toThrow('another certificate than that in RECORD_BROKER_TLS_CERT')
  // Nothing was sent, the token least of all.
  expect(server.received).toHaveLength(requests)
})

it('reads the file of the certificate again when it has changed', async () => {
  const { path } = stack.use(await temporaryFolder())
  const file = join(path, 'tls.crt')
  const own = new OwnCertificate(file)
  const isOwn = (certificate: Buffer) => own.matches(certificate)
  await expect(get(isOwn)).rejects.toThrow('another certificate')
  await writeFile(file, TLS.cert)
  await expect(get(isOwn)).rejects.toThrow('another certificate')
  await writeFile(file, OTHER_TLS.cert)
  expect(await get(isOwn)).toBe('hello')
  // The server has not read the new file yet.
  await writeFile(file, TLS.cert)
  expect(await get(isOwn)).toBe('hello')
  expect(own.matches(new X509Certificate(TLS.cert).raw)).toBe(true)
  await writeFile(file, 'broken')
  expect(await get(isOwn)).toBe('hello')
})
