import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../test/support/databases.ts'
import { RepositoryPatterns } from '../access/repository-patterns.ts'
import { catalogueFeed } from '../app/catalogue.ts'
import type { Database } from '../db/database.ts'
import { ProjectScope } from '../db/project-scope.ts'
import { type Digest, digestOf } from '../oci/digest.ts'
import { HostNames } from '../oci/host-names.ts'
import { OCI_INDEX, OCI_MANIFEST } from '../oci/media-types.ts'
import { parseReference } from '../oci/reference.ts'
import { Catalogue } from './catalogue.ts'
import type { CatalogueFeed } from './catalogue-feed.ts'
import type { Content } from './content.ts'
import { ConversionIndex } from './conversions/conversion-index.ts'
import { ImageWriter } from './image-writer.ts'
import { RepositoryProjects } from './repository-projects.ts'
import { TermBackfill } from './scan/term-backfill.ts'

const HOST = 'own.test:5000'
const names = new HostNames([HOST])
const at = (name: string) => `${HOST}/${name}`

describeDatabases('the catalogue of two projects', (open) => {
  let opened: TestDatabase
  let database: Database
  let catalogue: Catalogue
  let feed: CatalogueFeed
  const seenBy = (project: string, ...lists: string[][]) =>
    catalogue.seenBy({
      projectScope: project === 'admin' ? ProjectScope.ALL : ProjectScope.of(project),
      access: { read: lists.map((list) => new RepositoryPatterns(list)) },
    })
  const asA = () => seenBy('a', ['**'], [at('a/**'), at('shared/**')])
  const asB = () => seenBy('b', ['embedded/b/**', 'embedded/shared/**'])
  const put = (name: string, content: Content, digest: Digest = digestOf(name)) =>
    new ImageWriter(database, names).put([
      { reference: parseReference(at(name)), digest, content, isRead: true, isCompared: true },
    ])
  const record = (name: string, image: string, createdAt = '2026-01-01T00:00:00Z') =>
    put(name, {
      kind: 'record',
      digest: digestOf(name),
      image,
      createdAt,
      workload: 'serve',
      annotations: { 'org.test': 'shown' },
    })
  const convert = (jobId: string, project: string, source: string, target: string, record?: object) =>
    feed.addConversion({
      jobId,
      project,
      finishedAt: 1_700_000_000_000,
      request: { ...(record && { record }) },
      report: {
        source: at(`${source}@${digestOf(source)}`),
        target: at(target),
        digest: digestOf(target),
        mediaType: OCI_MANIFEST,
        size: 10,
        images: [{ platform: 'linux/amd64', source: digestOf(source), digest: digestOf(target) }],
      },
    })

  beforeAll(async () => {
    opened = await open()
    ;({ database } = opened)
    catalogue = new Catalogue(database, names)
    feed = catalogueFeed(database, { names })
    const image = { kind: 'image', mediaType: OCI_MANIFEST } as const
    for (const name of ['a/app:1', 'b/app:1', 'shared/base:1', 'a:1', 'ab/app:1']) await put(name, image)
    // The same index in a repository of each project; that of B was not read yet.
    const index = digestOf('an index')
    const children = [{ digest: digestOf('a child'), platform: 'linux/amd64' }]
    await put('a/multi:1', { kind: 'index', mediaType: OCI_INDEX, children }, index)
    await put('b/multi:1', { kind: 'index', mediaType: OCI_INDEX }, index)
    for (const [name, profiled] of [
      ['a/app:record', 'a/app:1'],
      ['b/app:record', 'shared/base:1'],
      ['a/app:record-of-base', 'shared/base:1'],
    ] as const) {
      await record(name, `${at(profiled)}@${digestOf(profiled)}`)
    }
    await convert('job-a', 'a', 'shared/base:1', 'a/base:esgz')
    await convert('job-b', 'b', 'shared/base:1', 'b/base:esgz')
    await convert('job-shared', 'a', 'shared/base:1', 'shared/base:esgz', {
      id: 'record-of-a',
      image: at('a/app:record'),
    })
  })
  afterAll(() => opened.close())

  const references = (page: { items: readonly { reference: string }[] }) =>
    page.items.map(({ reference }) => reference.slice(HOST.length + 1)).toSorted()

  it('lists the images and record images that each may read, and counts these only', async () => {
    const limit = 50
    const images = await asB().listImages({}, { limit })
    expect(references(images)).toEqual([
      'b/app:1',
      'b/base:esgz',
      'b/multi:1',
      'shared/base:1',
      'shared/base:esgz',
    ])
    expect(images.total).toEqual({ count: 5, isLowerBound: false })
    expect(references(await asA().listImages({}, { limit }))).toContain('a/app:1')
    expect(references(await seenBy('a', [at('a')]).listImages({}, { limit }))).toEqual(['a:1'])
    expect(references(await seenBy('a', [at('a/**')], [at('b/**')]).listImages({}, { limit }))).toEqual([])
    expect((await seenBy('admin', ['**']).listImages({}, { limit })).total.count).toBe(10)
    expect(references(await asB().listRecordImages({}, { limit }))).toEqual(['b/app:record'])
    expect(references(await asB().listRecordImages({ text: 'app' }, { limit }))).toEqual(['b/app:record'])
    expect((await asB().listRecordImages({ workload: 'serve' }, { limit })).total.count).toBe(1)
  })

  it('fills pages, and continues them', async () => {
    const pages: string[][] = []
    let cursor: string | undefined
    do {
      const page = await asB().listImages({}, { limit: 2, cursor })
      pages.push(references(page))
      expect(page.total.count).toBe(5)
      cursor = page.next
    } while (cursor !== undefined)
    expect(pages.map(({ length }) => length)).toEqual([2, 2, 1])
  })

  it('shows what another project has as what does not exist', async () => {
    const limit = 10
    for (const name of ['a/app', 'a/none']) {
      const location = parseReference(at(name))
      const nothing = { items: [], total: { count: 0, isLowerBound: false } }
      expect(await asB().listImages({ repository: location }, { limit })).toEqual(nothing)
      expect(await asB().listRecordImages({ repository: location }, { limit })).toEqual(nothing)
      expect(await asB().listRecordImages({ image: at(`${name}:1`) }, { limit })).toEqual(nothing)
      const relations = await asB().relationsOf(at(`${name}:1`), limit)
      expect(relations).toMatchObject({ digests: [], recordImages: nothing, conversions: nothing })
      expect(relations.comparedAt).toBeUndefined()
    }
    expect((await asA().relationsOf(at('a/app:1'), limit)).comparedAt).toBeGreaterThan(0)
    // By its digest, an index is what B can see of it: its manifest was read in the repository of A only.
    expect((await asB().relationsOf(digestOf('an index'), limit)).digests).toEqual([digestOf('an index')])
    expect((await asA().relationsOf(digestOf('an index'), limit)).digests).toHaveLength(2)
  })

  it('counts record images, and shows conversions, of visible repositories only', async () => {
    const baseOf = async (view: ReturnType<typeof asA>) =>
      (await view.listImages({ image: at('shared/base:1') }, { limit: 1 })).items[0]
    expect((await baseOf(asB()))?.recordImages.count).toBe(1)
    expect((await baseOf(asA()))?.recordImages.count).toBe(1)
    expect((await baseOf(seenBy('admin', ['**'])))?.recordImages.count).toBe(2)
    const targets = async (view: ReturnType<typeof asA>) =>
      (await view.relationsOf(at('shared/base:1'), 10)).conversions.items
        .map(({ target }) => target)
        .toSorted()
    expect(await targets(asB())).toEqual([at('b/base:esgz'), at('shared/base:esgz')])
    expect(await targets(asA())).toEqual([at('a/base:esgz'), at('shared/base:esgz')])
    expect((await asB().relationsOf(at('shared/base:1'), 10)).conversions.total.count).toBe(2)
    const made = await asB().listImages({ image: digestOf('a/base:esgz') }, { limit: 1 })
    expect(made.items).toEqual([])
    expect((await asB().relationsOf(digestOf('a/base:esgz'), 10)).convertedFrom.items).toEqual([])
    const latest = (await baseOf(seenBy('b', [at('b/**'), at('shared/base')])))?.latestConversion
    expect([at('b/base:esgz'), at('shared/base:esgz')]).toContain(latest?.target)
  })

  it('shows the job and the stored record of a conversion to its project, and record images to those who may read them', async () => {
    const shared = async (view: ReturnType<typeof asA>) =>
      (await view.relationsOf(at('shared/base:esgz'), 10)).convertedFrom.items[0]
    expect(await shared(asA())).toMatchObject({
      conversionId: 'job-shared',
      recordId: 'record-of-a',
      recordImages: [at('a/app:record')],
    })
    const foreign = await shared(asB())
    expect(foreign).toMatchObject({ source: at('shared/base:1'), recordImages: [] })
    expect(Object.keys(foreign ?? {})).not.toContain('conversionId')
    expect(Object.keys(foreign ?? {})).not.toContain('recordId')
    expect(JSON.stringify(foreign)).not.toContain('/a/')
  })

  it('keeps the job of each project that did the same conversion', async () => {
    await convert('first', 'a', 'shared/base:1', 'shared/twice:1')
    await convert('second', 'b', 'shared/base:1', 'shared/twice:1')
    await convert('third', 'default', 'shared/base:1', 'shared/twice:1')
    const jobOf = async (view: ReturnType<typeof asA>) =>
      (await view.relationsOf(at('shared/twice:1'), 10)).convertedFrom.items.map(
        ({ conversionId }) => conversionId,
      )
    expect(await jobOf(asA())).toEqual(['first'])
    expect(await jobOf(asB())).toEqual(['second'])
    expect(await jobOf(seenBy('default', ['**']))).toEqual(['third'])
    expect(await jobOf(seenBy('c', ['**']))).toEqual([undefined])
  })

  it('finds stored labels for their project only, and annotations for all', async () => {
    const digest = digestOf('published')
    for (const project of ['a', 'b']) {
      const id = `record-${project}`
      const text = { image: '', workload: '', labels: `{"of":"${project}"}`, format: 'stargz-record' }
      await database.query
        .insertInto('records')
        .values({
          id,
          project,
          digest: `${project} x`,
          ...text,
          entries: 1,
          paths: 1,
          content: '',
          created_at: 1,
        })
        .execute()
      const reference = at('shared/records:published')
      const publication = { id: `p-${project}`, record_id: id, reference, digest, created_at: 1 }
      await database.query.insertInto('publications').values(publication).execute()
    }
    const annotations = { team: 'shown' }
    await put('shared/records:published', { kind: 'record', digest, annotations }, digest)
    const found = async (view: ReturnType<typeof asA>, labels: Record<string, string>) =>
      (await view.listRecordImages({ labels }, { limit: 10 })).items.map(({ recordId, labels: shown }) => [
        recordId,
        shown,
      ])
    expect(await found(asA(), { of: 'a' })).toEqual([['record-a', { of: 'a' }]])
    expect(await found(asB(), { of: 'a' })).toEqual([])
    expect(await found(asB(), { team: 'shown' })).toEqual([['record-b', { of: 'b' }]])
    expect(await found(seenBy('c', ['**']), { of: 'b' })).toEqual([])
    expect(await found(seenBy('c', ['**']), { team: 'shown' })).toEqual([[undefined, undefined]])
    expect(await found(seenBy('admin', ['**']), { of: 'b' })).toHaveLength(1)
  })

  it('gives what earlier releases indexed its terms, batch by batch, and does that once', async () => {
    const before = references(await asB().listImages({}, { limit: 50 }))
    const conversions = (await asB().relationsOf(at('shared/base:1'), 50)).conversions.items
    const isNew = (table: 'catalogue_image_terms' | 'catalogue_conversion_terms', word: string) =>
      database.query.deleteFrom(table).where('term', 'like', word)
    await isNew('catalogue_image_terms', '% in %').execute()
    await isNew('catalogue_conversion_terms', '%-in %').execute()
    await database.query.deleteFrom('scans').execute()
    expect(references(await asB().listImages({}, { limit: 50 }))).toEqual([])
    expect((await asB().relationsOf(at('shared/base:1'), 50)).conversions.items).toEqual([])
    const writer = new ImageWriter(database, names)
    const backfill = new TermBackfill(database, { writer, conversions: new ConversionIndex(database, names) })
    let batches = 0
    while (await backfill.index()) batches += 1
    expect(batches).toBe(1)
    expect(references(await asB().listImages({}, { limit: 50 }))).toEqual(before)
    expect((await asB().relationsOf(at('shared/base:1'), 50)).conversions.items).toEqual(conversions)
    expect(await backfill.index()).toBe(false)
  })

  it('knows whose credentials compare a repository: those of who pushed last, or read it first', async () => {
    const projects = new RepositoryProjects(database, names)
    const of = (name: string) => projects.of(parseReference(at(name)))
    expect([await of('a/base'), await of('b/base'), await of('shared/base'), await of('none')]).toEqual([
      'a',
      'b',
      'a',
      'default',
    ])
    await convert('of-b', 'b', 'a/only:1', 'shared/base:2')
    expect([await of('a/only'), await of('shared/base')]).toEqual(['b', 'b'])
    await convert('of-default', 'default', 'a/only:1', 'shared/base:3')
    expect([await of('a/only'), await of('shared/base')]).toEqual(['b', 'default'])
  })

  it('does not find words of repositories that a caller may not read', async () => {
    await put('a/secretword:1', { kind: 'image' })
    expect((await asB().listImages({ text: 'secretword' }, { limit: 1 })).total.count).toBe(0)
    expect((await asA().listImages({ text: 'secretword' }, { limit: 1 })).total.count).toBe(1)
  })
})
