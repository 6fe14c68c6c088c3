import { expect, it, vi } from 'vitest'
import { publishRecordImage } from '../../src/records/images/publish-record-image.ts'
import { RegistryClient } from '../../src/registry/client.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import { buildTar, file } from '../support/images/build-tar.ts'
import { pushImage } from '../support/images/push-image.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

type Item = { readonly reference: string; readonly estargz?: boolean; readonly comparedAt?: string }
type Page = { readonly items: readonly Item[]; readonly totalCount: number }

it('shows what is pushed to and deleted from the embedded registry, and what conversions make', async () => {
  await using folder = await temporaryFolder()
  // Without a scan, so that only pushes and conversions can tell.
  await using broker = await BrokerProcess.start(folder.path, { RECORD_BROKER_SCAN_SECONDS: '0' })
  const { host } = broker
  await using client = new RegistryClient({ plainHttp: [host] })
  const repository = client.repository({ host, repository: 'team/app' })
  const page = (path: string) => broker.request<Page>('GET', path)
  const references = async (path: string) => (await page(path)).items.map(({ reference }) => reference).sort()
  const until = (path: string, expected: readonly string[]) =>
    vi.waitFor(async () => expect(await references(path)).toEqual(expected), {
      timeout: 30_000,
      interval: 50,
    })

  await pushImage(repository, { layers: [{ tar: buildTar(file('usr/bin/app', 'app')) }] }, '1.0')
  await publishRecordImage(repository, [{ path: 'usr/bin/app' }], {
    tag: 'record-1.0-other',
    image: `${host}/team/app:1.0`,
    createdAt: '2026-01-01T00:00:00Z',
  })
  await until('/v1/record-images', [`${host}/team/app:record-1.0-other`])
  await until('/v1/images', [`${host}/team/app:1.0`])

  const source = `${host}/team/app:1.0`
  const { id } = await broker.request<{ id: string }>('POST', '/v1/conversions', {
    source,
    target: `${source}-esgz`,
    record: { image: `${host}/team/app:record-1.0-other` },
  })
  await until('/v1/images', [source, `${source}-esgz`])
  const [converted] = (await page(`/v1/images?image=${source}-esgz`)).items
  expect(converted).toMatchObject({ estargz: true, convertedFrom: { source, conversionId: id } })
  const relations = await broker.request<Record<string, Page>>('GET', `/v1/image-relations?image=${source}`)
  expect(relations).toMatchObject({
    recordImages: { totalCount: 1 },
    conversions: { items: [{ target: `${source}-esgz`, conversionId: id }] },
  })
  const usedBy = await broker.request<Record<string, Page>>(
    'GET',
    `/v1/image-relations?image=${host}/team/app:record-1.0-other`,
  )
  expect(usedBy.usedBy?.items).toMatchObject([{ conversionId: id }])

  await repository.deleteManifest('record-1.0-other')
  await until('/v1/record-images', [])
})
