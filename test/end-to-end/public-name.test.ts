import { request } from 'node:http'
import { json } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { RegistryClient } from '../../src/registry/client.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import { buildTar, file } from '../support/images/build-tar.ts'
import { pushImage } from '../support/images/push-image.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** No name server knows this name: requests for it must not leave the machine. */
const NAME = 'broker.invalid'

type Conversion = { id: string; state: string; target: string; report: { target: string; reused?: boolean } }

/** Sends a request as a proxy does that has received it for the public name. */
async function getAs(host: string, url: string): Promise<{ status: number | undefined; body: unknown }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number | undefined; body: unknown }>()
  request(url, { headers: { host } }, async (response) =>
    resolve({ status: response.statusCode, body: await json(response) }),
  )
    .on('error', reject)
    .end()
  return promise
}

it('reads and writes its own registry under its public name and under its address', async () => {
  await using folder = await temporaryFolder()
  await using broker = await BrokerProcess.start(folder.path, { RECORD_BROKER_PUBLIC_URL: `https://${NAME}` })
  const { host, url } = broker
  await using registries = new RegistryClient({ plainHttp: [host] })
  const layers = [{ tar: buildTar(file('usr/bin/app', 'app')) }]
  await pushImage(registries.repository({ host, repository: 'team/app' }), { layers }, '1.0')

  const record = await broker.request<{ id: string; image: string; publications: { reference: string }[] }>(
    'POST',
    `/v1/records?image=${host}/team/app:1.0&workload=serve&publish=true`,
    '/usr/bin/app\n',
  )
  const published = `${NAME}/team/app:record-1.0-serve`
  expect(record).toMatchObject({
    image: `${NAME}/team/app:1.0`,
    publications: [{ reference: published }],
  })
  for (const name of [NAME, host]) {
    const found = await broker.request<{ items: { match: string }[] }>(
      'GET',
      `/v1/record-images?image=${name}/team/app:1.0`,
    )
    expect(found.items).toMatchObject([{ reference: published, match: 'digest' }])
  }

  const convert = async (source: string, target: string) => {
    const response = await fetch(new URL('/v1/conversions', url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', prefer: 'wait=60' },
      body: JSON.stringify({ source, target, record: { image: published } }),
    })
    return (await response.json()) as Conversion
  }
  const first = await convert(`${host}/team/app:1.0`, `${NAME}/team/app:first`)
  expect(first).toMatchObject({ state: 'succeeded', report: { target: `${NAME}/team/app:first` } })
  const second = await convert(`${NAME}/team/app:1.0`, `${host}/team/app:second`)
  expect(second).toMatchObject({
    state: 'succeeded',
    report: { target: `${NAME}/team/app:second`, reused: true },
  })
  for (const name of [NAME, host]) {
    const { items } = await broker.request<{ items: Conversion[] }>(
      'GET',
      `/v1/conversions?source=${name}/team/app:1.0`,
    )
    expect(items.map(({ id }) => id)).toEqual([second.id, first.id])
    const inspected = await broker.request<{ reference: string }>('GET', `/v1/images/${name}/team/app:second`)
    expect(inspected).toMatchObject({ digest: expect.stringMatching(/^sha256:/) })
  }

  expect(await getAs(NAME, `${url}/v1/conversions/counts`)).toMatchObject({ status: 200 })
  expect(await getAs('other.invalid', `${url}/v1/conversions/counts`)).toMatchObject({
    status: 421,
    body: { code: 'FOREIGN_HOST' },
  })
  expect(await broker.request('GET', '/openapi.json')).toMatchObject({
    servers: [{ url: `https://${NAME}` }],
  })
})
