import { lstatSync, readlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { evaluateRecord } from '../../src/conversion/evaluate.ts'
import { RequestTally } from '../../src/conversion/request-bounds.ts'
import { LayerLister } from '../../src/conversion/source/layer-lister.ts'
import { toSizedLayer } from '../../src/conversion/source/listed-layer.ts'
import { openEStargz } from '../../src/estargz/read/read-toc.ts'
import type { SizedLayer } from '../../src/records/resolve/sized-layer.ts'
import { cleanName } from '../../src/tar/names.ts'
import { ConversionBench } from '../support/conversion-bench.ts'
import type { DebianImage } from '../support/peers/debian-image.ts'
import { describeWithPeers } from '../support/peers/peers.ts'
import { readProfile, pushDebianImage } from '../support/peers/python-workload.ts'

const never = new AbortController().signal

/** What opening a path touches in an unpacked root, as a plain walk says: symlinks, and at last the file. */
function touched(root: string, path: string): { links: string[]; file: string } | undefined {
  const links: string[] = []
  let at = ''
  let left = path.split('/')
  while (left.length > 0) {
    const [part = '', ...rest] = left
    left = rest
    if (part === '' || part === '.') continue
    const name = part === '..' ? dirname(at).replace(/^\.$/, '') : join(at, part)
    const stat = lstatSync(join(root, name), { throwIfNoEntry: false })
    if (stat === undefined) return undefined
    if (!stat.isSymbolicLink()) at = name
    else {
      const target = readlinkSync(join(root, name))
      links.push(name)
      if (target.startsWith('/')) at = ''
      left = [...target.split('/'), ...left]
    }
  }
  return { links, file: at }
}

function parentsOf(name: string): string[] {
  const parts = name.split('/')
  return parts.map((_, depth) => parts.slice(0, depth).join('/'))
}

describeWithPeers(['apt-get', 'dpkg-deb', 'tar'], 'records of a real start', () => {
  let debian: DebianImage | undefined
  let bench: ConversionBench
  beforeAll(async () => {
    bench = await ConversionBench.open()
    debian = await pushDebianImage(bench.repository('python'))
  }, 300_000)
  afterAll(() => bench[Symbol.asyncDispose]())

  it('lose no shared library: 247 of 248 opened paths are found, where 233 have the spelling used', async ({
    skip,
  }) => {
    if (!debian) return skip()
    const entries = await readProfile('python-numpy.strace.txt')
    const image = `${bench.host}/python:1`
    const { images } = await evaluateRecord({ entries }, { image }, bench.services, never)
    const use = images[0]?.record
    // The root directory was opened too, which every image has and no record names.
    expect(use?.paths).toBe(248 - 1)
    expect(use?.placed).toBe(247 - 1)
    expect(use?.notFound.map(({ path }) => path)).toEqual(['usr/share/locale/locale.alias'])

    const profiled = await bench.readImages(image)
    const [model] = profiled.images
    const lister = new LayerLister({ ...bench.services, tally: new RequestTally() })
    const layers = model && (await lister.list(profiled.repository, model, { scan: true, signal: never }))
    const namesOf = ({ entries }: SizedLayer) =>
      Array.from({ length: entries.length }, (_, i) => entries.at(i)?.name)
    const spelled = new Set(layers?.flatMap((layer) => namesOf(toSizedLayer(layer))))
    const paths = new Set(entries.map(({ path }) => path))
    expect([...paths].filter((path) => spelled.has(path)).length).toBe(233 - 1)

    const traced = await readProfile('python-numpy.fatrace.txt')
    const other = await evaluateRecord({ entries: traced }, { image }, bench.services, never)
    expect(other.images[0]?.record).toMatchObject({ notFoundCount: 0, hiddenCount: 0 })
  }, 120_000)

  it('put before the landmarks what the workload opens, with parents and links, and nothing else', async ({
    skip,
  }) => {
    if (!debian) return skip()
    const { root } = debian
    const entries = await readProfile('python-numpy.strace.txt')
    const target = `${bench.host}/python:fast`
    const report = await bench.convert({
      source: `${bench.host}/python:1`,
      target,
      record: { inline: entries },
    })
    const converted = await bench.readImages(target)
    const before: string[] = []
    for (const layer of converted.images[0]?.manifest.layers ?? []) {
      const readRange = (start: number, end: number) => converted.repository.readBlobRange(layer, start, end)
      const { entries } = await openEStargz({ size: layer.size, readRange, limits: bench.services.limits })
      const names = entries.filter(({ type }) => type !== 'chunk').map(({ name }) => cleanName(name))
      before.push(...names.slice(0, Math.max(0, names.indexOf('.prefetch.landmark'))))
    }
    const wanted = entries.flatMap(({ path }) => touched(root, path) ?? [])
    // What the kernel opens to run python, and no system call shows.
    const use = report.images[0]?.record
    expect(use?.implied).toMatchObject([{ path: 'lib64/ld-linux-x86-64.so.2' }])
    wanted.push(...(use?.implied ?? []).flatMap(({ path }) => touched(root, path) ?? []))
    const needed = new Set(wanted.flatMap(({ links, file }) => [...links, file]))
    expect([...needed].filter((name) => name !== '' && !before.includes(name))).toEqual([])
    const allowed = new Set([...needed, ...[...needed].flatMap(parentsOf)])
    expect(before.filter((name) => !allowed.has(name))).toEqual([])

    const evaluated = await evaluateRecord({ entries }, { image: target }, bench.services, never)
    const after = evaluated.images[0]?.record
    const implied = use?.implied?.map(({ path }) => ({ path }))
    expect(after).toMatchObject({ exact: true, placed: use?.placed, implied })
    expect(use?.start.withRecord.requests).toBeLessThan((use?.start.withoutRecord.requests ?? 0) / 4)
    expect(use?.start.withRecord.bytes).toBeLessThan(use?.start.withoutRecord.bytes ?? 0)
    expect(use?.prefetchBytes).toBeLessThan((use?.imageBytes ?? 0) / 2)
    expect(await bench.verify({ reference: target, source: report.source })).toMatchObject({ verified: true })
  }, 120_000)
})
