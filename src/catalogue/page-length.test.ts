import { expect, it } from 'vitest'
import { temporarySqlite } from '../../test/support/databases.ts'
import { BROKER_ACCESS, parseAccess } from '../access/caller-access.ts'
import { digestOf } from '../oci/digest.ts'
import { HostNames } from '../oci/host-names.ts'
import { Catalogue } from './catalogue.ts'
import type { Content } from './content.ts'
import { ImageWriter } from './image-writer.ts'
import type { CataloguePage } from './listed-images.ts'

const HOST = 'r.test'
const COUNT = 150
/** As much as the catalogue keeps of one manifest. */
const annotations = { long: 'x'.repeat(16_000) }

it('a page of long manifests ends early, and the pages together have everything once', async () => {
  const { database, close } = await temporarySqlite()
  await using stack = new AsyncDisposableStack()
  stack.defer(close)
  const names = new HostNames([HOST])
  const put = async (repository: string, contentOf: (name: string) => Content) => {
    const images = Array.from({ length: COUNT }, (_, n) => {
      const name = `${repository}:${n}`
      const reference = { host: HOST, repository, tag: String(n) }
      return { reference, digest: digestOf(name), content: contentOf(name), isRead: true, isCompared: true }
    })
    await new ImageWriter(database, names).put(images)
  }
  const image = `${HOST}/team/app`
  await put('team/app', (name) => ({ kind: 'record', digest: digestOf(name), image, annotations }))
  await put('team/image', () => ({ kind: 'image', annotations }))
  const catalogue = new Catalogue(database, names).seenBy(parseAccess(BROKER_ACCESS))
  const pagesOf = async <Item>(read: (cursor?: string) => Promise<CataloguePage<Item>>) => {
    const pages = [await read()]
    for (let next = pages[0]?.next; next !== undefined; next = pages.at(-1)?.next)
      pages.push(await read(next))
    return pages
  }
  const limit = 500
  for (const pages of [
    await pagesOf((cursor) => catalogue.listRecordImages({}, { limit, cursor })),
    await pagesOf((cursor) => catalogue.listRecordImages({ image }, { limit, cursor })),
    await pagesOf((cursor) => catalogue.listImages({}, { limit, cursor })),
  ]) {
    for (const { items } of pages) expect(JSON.stringify(items).length).toBeLessThan(1.2 * 1024 * 1024)
    const references = pages.flatMap(({ items }) => items.map(({ reference }) => reference))
    expect(references).toHaveLength(COUNT)
    expect(new Set(references).size).toBe(COUNT)
    expect(pages[0]?.total.count).toBe(COUNT)
  }
})
