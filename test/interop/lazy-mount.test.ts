import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import { findBlobGets, LayerFiles } from '../support/peers/blob-gets.ts'
import { ConversionBench } from '../support/conversion-bench.ts'
import type { DebianImage } from '../support/peers/debian-image.ts'
import { type RecordedRequest, TestRegistry } from '../support/servers/test-registry.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { LazyMount } from '../support/peers/lazy-mount.ts'
import { describeWithPeers } from '../support/peers/peers.ts'
import { readProfile, PYTHON_ENVIRONMENT, PYTHON_COMMAND, pushDebianImage } from '../support/peers/python-workload.ts'

const RECORD = 'python-numpy.strace.txt'
const INTERPRETER = 'usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2'

describeWithPeers(['go', '/dev/fuse', 'apt-get', 'dpkg-deb', 'tar'], 'lazily mounted images', () => {
  const stack = new AsyncDisposableStack()
  const asked: RecordedRequest[] = []
  let bench: ConversionBench
  let debian: DebianImage | undefined
  /** Converted without a record. */
  let plain: Image

  beforeAll(async () => {
    await LazyMount.build()
    const folder = stack.use(await temporaryFolder())
    const onRequest = (request: RecordedRequest) => void asked.push(request)
    const registry = stack.use(await TestRegistry.start(join(folder.path, 'registry'), { onRequest }))
    bench = stack.use(await ConversionBench.open(registry.host))
    debian = await pushDebianImage(bench.repository('python'))
    if (debian) plain = await convert('plain', {})
  }, 300_000)
  afterAll(() => stack.disposeAsync())
  afterEach(async () => expect(await LazyMount.listMounts()).toEqual([]))

  /** Converts the image to this tag. */
  async function convert(tag: string, how: Partial<Parameters<typeof bench.convert>[0]>) {
    const reference = `${bench.host}/python:${tag}`
    await bench.convert({ source: `${bench.host}/python:1`, target: reference, ...how })
    const { repository, images } = await bench.readImages(reference)
    return { reference, repository, layers: images[0]?.manifest.layers ?? [] }
  }
  type Image = Awaited<ReturnType<typeof convert>>

  /** Starts the workload, and answers for each GET of a blob that came after the prefetch which files it had bytes of. */
  async function filesFetchedByStart({ reference, repository, layers }: Image): Promise<string[][]> {
    await using mount = await LazyMount.mount(reference, layers)
    const before = asked.length
    expect(await mount.runCommand(PYTHON_COMMAND, PYTHON_ENVIRONMENT)).toBe('[0 1 2]\n')
    const gets = findBlobGets(asked.slice(before))
    const files = await LayerFiles.open(repository, layers, bench.services.limits)
    return gets.map((get) => files.filesIn(get))
  }

  it('fetch nothing more when what the record says has been prefetched', async ({ skip }) => {
    if (!debian) return skip()
    const image = await convert('fast', { record: { inline: await readProfile(RECORD) } })
    expect(await filesFetchedByStart(image)).toEqual([])
  })

  it('fetch the interpreter, and nothing else, where it was left out', async ({ skip }) => {
    if (!debian) return skip()
    const record = { inline: await readProfile(RECORD) }
    const image = await convert('no-interpreter', { record, options: { interpreters: false } })
    const fetched = await filesFetchedByStart(image)
    expect(fetched).not.toEqual([])
    expect(fetched.filter((files) => !files.includes(INTERPRETER))).toEqual([])
  })

  it('fetch piece by piece without a record', async ({ skip }) => {
    if (!debian) return skip()
    expect((await filesFetchedByStart(plain)).length).toBeGreaterThan(50)
  })

  it('see modes, owners and times as the layers have them', async ({ skip }) => {
    if (!debian) return skip()
    const { reference, layers } = plain
    await using mount = await LazyMount.mount(reference, layers)
    for (const path of [
      'usr/bin/python3.11',
      'usr/bin/python3',
      'usr/bin/pldd',
      INTERPRETER,
      'etc/ld.so.cache',
    ]) {
      const { mode, mtimeMs } = await lstat(join(debian.root, path))
      // The last layer has one time for all that it holds.
      const mtime = path === 'etc/ld.so.cache' ? 1_700_000_000 : Math.floor(mtimeMs / 1000)
      expect({ path, ...(await mount.stat(path)) }).toEqual({ path, mode, uid: 0, gid: 0, mtime })
    }
  })

  it('leave no mount behind when a layer cannot be had', async ({ skip }) => {
    if (!debian) return skip()
    const { reference, layers } = plain
    const missing = { digest: digestOf(Buffer.from('missing')), annotations: layers[0]?.annotations }
    await expect(LazyMount.mount(reference, [...layers, missing])).rejects.toThrow('failed to resolve layer')
  })

  it('leave no mount behind when what serves them is killed', async ({ skip }) => {
    if (!debian) return skip()
    const { reference, layers } = plain
    const mount = await LazyMount.mount(reference, layers)
    process.kill(mount.pid, 'SIGKILL')
    await expect(mount[Symbol.asyncDispose]()).rejects.toThrow('SIGKILL')
  })
})
