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
import { pushDebianImage, readProfile } from '../support/peers/python-workload.ts'

const neverAborted = new AbortController().signal

/** Resolves a path in an extracted root. Returns the symlinks on the way and the file. */
function resolvePath(root: string, path: string): { links: string[]; file: string } | undefined {
  const links: string[] = []
  let resolved = ''
  let remaining = path.split('/')
  while (remaining.length > 0) {
    const [part = '', ...following] = remaining
    remaining = following
    if (part === '' || part === '.') continue
    const name = part === '..' ? dirname(resolved).replace(/^\.$/, '') : join(resolved, part)
    const stat = lstatSync(join(root, name), { throwIfNoEntry: false })
    if (stat === undefined) return undefined
    if (!stat.isSymbolicLink()) resolved = name
    else {
      const target = readlinkSync(join(root, name))
      links.push(name)
      if (target.startsWith('/')) resolved = ''
      remaining = [...target.split('/'), ...remaining]
    }
  }
  return { links, file: resolved }
}

function parentsOf(name: string): string[] {
  const parts = name.split('/')
  return parts.map((_, depth) => parts.slice(0, depth).join('/'))
}

describeWithPeers(['apt-get', 'dpkg-deb', 'tar'], 'records of a real workload', () => {
  let debian: DebianImage | undefined
  let bench: ConversionBench
  beforeAll(async () => {
    bench = await ConversionBench.open()
    debian = await pushDebianImage(bench.repository('python'))
  }, 300_000)
  afterAll(() => bench[Symbol.asyncDispose]())

  it('find 247 of 248 opened paths in the image, although only 233 have the same spelling there', async ({
    skip,
  }) => {
    if (!debian) return skip()
    const entries = await readProfile('python-numpy.strace.txt')
    const image = `${bench.host}/python:1`
    const { images } = await evaluateRecord({ entries }, { image }, bench.services, neverAborted)
    const use = images[0]?.record
    // One of the 248 paths is the root directory, which every image has and records do not contain.
    expect(use?.pathCount).toBe(248 - 1)
    expect(use?.placedCount).toBe(247 - 1)
    expect(use?.notFound.map(({ path }) => path)).toEqual(['usr/share/locale/locale.alias'])

    const opened = await bench.readImages(image)
    const [sourceImage] = opened.images
    const lister = new LayerLister({ ...bench.services, tally: new RequestTally() })
    const layers =
      sourceImage && (await lister.list(opened.repository, sourceImage, { scan: true, signal: neverAborted }))
    const listNames = ({ entries }: SizedLayer) =>
      Array.from({ length: entries.length }, (_, i) => entries.at(i)?.name)
    const names = new Set(layers?.flatMap((layer) => listNames(toSizedLayer(layer))))
    const paths = new Set(entries.map(({ path }) => path))
    expect([...paths].filter((path) => names.has(path)).length).toBe(233 - 1)

    const fatraceEntries = await readProfile('python-numpy.fatrace.txt')
    const fatrace = await evaluateRecord({ entries: fatraceEntries }, { image }, bench.services, neverAborted)
    expect(fatrace.images[0]?.record).toMatchObject({ notFoundCount: 0, hiddenCount: 0 })
  }, 120_000)

  it('prioritize exactly the files that the workload opens, with their parents and symlinks', async ({
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
    const prioritized: string[] = []
    for (const layer of converted.images[0]?.manifest.layers ?? []) {
      const readRange = (start: number, end: number) => converted.repository.readBlobRange(layer, start, end)
      const { entries } = await openEStargz({ size: layer.size, readRange, limits: bench.services.limits })
      const names = entries.filter(({ type }) => type !== 'chunk').map(({ name }) => cleanName(name))
      prioritized.push(...names.slice(0, Math.max(0, names.indexOf('.prefetch.landmark'))))
    }
    const opened = entries.flatMap(({ path }) => resolvePath(root, path) ?? [])
    // The kernel opens the interpreter of the executable, which no system call shows.
    const use = report.images[0]?.record
    expect(use?.implied).toMatchObject([{ path: 'lib64/ld-linux-x86-64.so.2' }])
    opened.push(...(use?.implied ?? []).flatMap(({ path }) => resolvePath(root, path) ?? []))
    const needed = new Set(opened.flatMap(({ links, file }) => [...links, file]))
    expect([...needed].filter((name) => name !== '' && !prioritized.includes(name))).toEqual([])
    const allowed = new Set([...needed, ...[...needed].flatMap(parentsOf)])
    expect(prioritized.filter((name) => !allowed.has(name))).toEqual([])

    const evaluated = await evaluateRecord({ entries }, { image: target }, bench.services, neverAborted)
    const after = evaluated.images[0]?.record
    const implied = use?.implied?.map(({ path }) => ({ path }))
    expect(after).toMatchObject({ exact: true, placedCount: use?.placedCount, implied })
    expect(use?.start.withRecord.requestCount).toBeLessThan((use?.start.withoutRecord.requestCount ?? 0) / 4)
    expect(use?.start.withRecord.bytes).toBeLessThan(use?.start.withoutRecord.bytes ?? 0)
    expect(use?.prefetchBytes).toBeLessThan((use?.imageBytes ?? 0) / 2)
    expect(await bench.verify({ reference: target, source: report.source })).toMatchObject({ verified: true })
  }, 120_000)
})
