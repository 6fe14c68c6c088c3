import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import { ConversionBench } from '../support/conversion-bench.ts'
import { findBlobGets, LayerFiles } from '../support/peers/blob-gets.ts'
import type { DebianImage } from '../support/peers/debian-image.ts'
import { LazyMount } from '../support/peers/lazy-mount.ts'
import { describeWithPeers } from '../support/peers/peers.ts'
import {
  PYTHON_COMMAND,
  PYTHON_ENVIRONMENT,
  pushDebianImage,
  readProfile,
} from '../support/peers/python-workload.ts'
import { type RecordedRequest, TestRegistry } from '../support/servers/test-registry.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const RECORD = 'python-numpy.strace.txt'
const INTERPRETER = 'usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2'

describeWithPeers(['go', '/dev/fuse', 'apt-get', 'dpkg-deb', 'tar'], 'lazily mounted images', () => {
  const stack = new AsyncDisposableStack()
  const requests: RecordedRequest[] = []
  let bench: ConversionBench
  let debian: DebianImage | undefined
  let convertedWithoutRecord: Image

  beforeAll(async () => {
    await LazyMount.build()
    const folder = stack.use(await temporaryFolder())
    const onRequest = (request: RecordedRequest) => void requests.push(request)
    const registry = stack.use(await TestRegistry.start(join(folder.path, 'registry'), { onRequest }))
    bench = stack.use(await ConversionBench.open(registry.host))
    debian = await pushDebianImage(bench.repository('python'))
    if (debian) convertedWithoutRecord = await convert('plain', {})
  }, 300_000)
  afterAll(() => stack.disposeAsync())
  afterEach(async () => expect(await LazyMount.listMounts()).toEqual([]))

  /** Converts the image to a tag. */
  async function convert(tag: string, fields: Partial<Parameters<typeof bench.convert>[0]>) {
    const reference = `${bench.host}/python:${tag}`
    await bench.convert({ source: `${bench.host}/python:1`, target: reference, ...fields })
    const { repository, images } = await bench.readImages(reference)
    return { reference, repository, layers: images[0]?.manifest.layers ?? [] }
  }
  type Image = Awaited<ReturnType<typeof convert>>

  /** Runs the workload. Returns the files whose bytes each GET of a blob after the prefetch requested. */
  async function runAndListFetchedFiles({ reference, repository, layers }: Image): Promise<string[][]> {
    await using mount = await LazyMount.mount(reference, layers)
    const prefetchRequests = requests.length
    expect(await mount.runCommand(PYTHON_COMMAND, PYTHON_ENVIRONMENT)).toBe('[0 1 2]\n')
    const gets = findBlobGets(requests.slice(prefetchRequests))
    const files = await LayerFiles.open(repository, layers, bench.services.limits)
    return gets.map((get) => files.filesIn(get))
  }

  it('fetch nothing after the prefetch if they were converted with a record', async ({ skip }) => {
    if (!debian) return skip()
    const image = await convert('fast', { record: { inline: await readProfile(RECORD) } })
    expect(await runAndListFetchedFiles(image)).toEqual([])
  })

  it('fetch only the interpreter if the record does not imply it', async ({ skip }) => {
    if (!debian) return skip()
    const record = { inline: await readProfile(RECORD) }
    const image = await convert('no-interpreter', { record, options: { interpreters: false } })
    const fetched = await runAndListFetchedFiles(image)
    expect(fetched).not.toEqual([])
    expect(fetched.filter((files) => !files.includes(INTERPRETER))).toEqual([])
  })

  it('fetch their files one by one without a record', async ({ skip }) => {
    if (!debian) return skip()
    expect((await runAndListFetchedFiles(convertedWithoutRecord)).length).toBeGreaterThan(50)
  })

  it('have the modes, owners and times of the layers', async ({ skip }) => {
    if (!debian) return skip()
    const { reference, layers } = convertedWithoutRecord
    await using mount = await LazyMount.mount(reference, layers)
    for (const path of [
      'usr/bin/python3.11',
      'usr/bin/python3',
      'usr/bin/pldd',
      INTERPRETER,
      'etc/ld.so.cache',
    ]) {
      const { mode, mtimeMs } = await lstat(join(debian.root, path))
      // All entries of the last layer have the same time.
      const mtime = path === 'etc/ld.so.cache' ? 1_700_000_000 : Math.floor(mtimeMs / 1000)
      expect({ path, ...(await mount.stat(path)) }).toEqual({ path, mode, uid: 0, gid: 0, mtime })
    }
  })

  it('leave no mount behind if a layer is missing', async ({ skip }) => {
    if (!debian) return skip()
    const { reference, layers } = convertedWithoutRecord
    const missing = { digest: digestOf(Buffer.from('missing')), annotations: layers[0]?.annotations }
    await expect(LazyMount.mount(reference, [...layers, missing])).rejects.toThrow('failed to resolve layer')
  })

  it('leave no mount behind if the process that serves them is killed', async ({ skip }) => {
    if (!debian) return skip()
    const { reference, layers } = convertedWithoutRecord
    const mount = await LazyMount.mount(reference, layers)
    process.kill(mount.pid, 'SIGKILL')
    await expect(mount[Symbol.asyncDispose]()).rejects.toThrow('SIGKILL')
  })
})
