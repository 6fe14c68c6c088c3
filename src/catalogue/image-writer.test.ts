import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../test/support/databases.ts'
import { BROKER_ACCESS, parseAccess } from '../access/caller-access.ts'
import { digestOf } from '../oci/digest.ts'
import { HostNames } from '../oci/host-names.ts'
import { Catalogue } from './catalogue.ts'
import type { RecordContent } from './content.ts'
import { ImageWriter, type SeenImage } from './image-writer.ts'
import type { VisibleCatalogue } from './visible-catalogue.ts'

const names = new HostNames(['127.0.0.1:5000', 'localhost:5000'])

describeDatabases('images in the catalogue', (open) => {
  let opened: TestDatabase
  let writer: ImageWriter
  let catalogue: VisibleCatalogue
  beforeAll(async () => {
    opened = await open()
    writer = new ImageWriter(opened.database, names)
    catalogue = new Catalogue(opened.database, names).seenBy(parseAccess(BROKER_ACCESS))
  })
  afterAll(() => opened.close())

  const seen = (tag: string, content: Partial<RecordContent> = {}, isRead = true): SeenImage => {
    const digest = content.digest ?? digestOf(tag)
    const reference = { host: 'localhost:5000', repository: 'team/app', tag }
    return {
      reference,
      digest,
      content: { kind: 'record', digest, annotations: {}, ...content },
      isRead,
      isCompared: isRead,
    }
  }
  const items = async (filter: Parameters<VisibleCatalogue['listRecordImages']>[0] = {}) =>
    (await catalogue.listRecordImages(filter, { limit: 10 })).items

  it('may have any text in their manifests', async () => {
    const hostile = '\u0000\ud800\u{1f40b}'
    const long = 'x'.repeat(100_000)
    await writer.put([
      seen('hostile', {
        image: hostile,
        workload: hostile,
        createdAt: hostile,
        profiler: long,
        annotations: { [hostile]: hostile, fine: 'yes', ['__proto__']: 'text', long, after: 'x' },
      }),
      seen('long', { image: long, workload: 'é'.repeat(1000), createdAt: '9999-12-31T23:59:59Z' }),
    ])
    const [first, second] = await items()
    expect(first).toMatchObject({
      reference: '127.0.0.1:5000/team/app:long',
      createdAt: '9999-12-31T23:59:59Z',
    })
    expect(first?.image).toBeUndefined()
    expect(second).toMatchObject({ image: hostile, annotations: { fine: 'yes' } })
    expect(second?.profiler).toBeUndefined()
    expect(second?.annotations).not.toHaveProperty('after')
    expect(await items({ labels: { fine: 'yes' } })).toHaveLength(1)
  })

  it('keep what their manifest says when somebody only knows their digest', async () => {
    await writer.put([seen('known', { workload: 'w1' })])
    await writer.put([seen('known', { workload: 'other' }, false)])
    expect(await items({ workload: 'w1' })).toHaveLength(1)
    // Another digest under the tag is news, whoever brings it.
    await writer.put([seen('known', { workload: 'w2', digest: digestOf('moved') }, false)])
    expect(await items({ workload: 'w1' })).toEqual([])
    const [moved] = await items({ workload: 'w2' })
    expect(moved).toMatchObject({ digest: digestOf('moved') })
    expect(moved).not.toHaveProperty('comparedAt')
  })

  it('move in the listing when their time changes, and are there once under each name', async () => {
    await writer.put([seen('moving', { workload: 'm', createdAt: '2026-01-01T00:00:00Z' })])
    const other = seen('moving', { workload: 'm', createdAt: '2026-02-01T00:00:00Z', digest: digestOf('m2') })
    await writer.put([{ ...other, reference: { ...other.reference, host: '127.0.0.1:5000' } }])
    expect(await items({ workload: 'm' })).toMatchObject([{ createdAt: '2026-02-01T00:00:00Z' }])
    await writer.remove([{ ...other.reference, host: '127.0.0.1:5000' }])
    expect(await items({ workload: 'm' })).toEqual([])
  })

  it('are written by many at once', async () => {
    const many = Array.from({ length: 6 }, (_, n) => `many-${n}`)
    await Promise.all(
      many.map((_, n) =>
        writer.put(
          many.map((tag) => seen(tag, { workload: 'many', createdAt: `2026-01-0${1 + n}T00:00:00Z` })),
        ),
      ),
    )
    const page = await catalogue.listRecordImages({ workload: 'many' }, { limit: 100 })
    expect(page.items.map(({ reference }) => reference).sort()).toEqual(
      many.map((tag) => `127.0.0.1:5000/team/app:${tag}`).sort(),
    )
  })
})
