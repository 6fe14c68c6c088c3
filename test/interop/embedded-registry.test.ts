import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { digestOf, hexOf } from '../../src/oci/digest.ts'
import {
  DOCKER_MANIFEST,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_LAYER_GZIP,
  OCI_MANIFEST,
} from '../../src/oci/media-types.ts'
import { TestRegistry } from '../support/servers/test-registry.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { describeWithPeers } from '../support/peers/peers.ts'

/** Writes an OCI image layout by hand: an index `all` of two one-layer images, and one of them as `v1`. */
async function writeLayout(folder: string): Promise<void> {
  await mkdir(join(folder, 'blobs', 'sha256'), { recursive: true })
  const put = async (mediaType: string, bytes: Buffer) => {
    const digest = digestOf(bytes)
    await writeFile(join(folder, 'blobs', 'sha256', hexOf(digest)), bytes)
    return { mediaType, digest, size: bytes.length }
  }
  const json = (value: object) => Buffer.from(JSON.stringify(value))
  const image = async (architecture: string) => {
    const tar = pack()
    tar.entry({ name: 'etc/architecture' }, architecture)
    tar.entry({ name: 'usr/lib/big' }, 'x'.repeat(1_000_000))
    tar.finalize()
    const plain = await buffer(tar)
    const layer = await put(OCI_LAYER_GZIP, gzipSync(plain))
    const rootfs = { type: 'layers', diff_ids: [digestOf(plain)] }
    const config = await put(OCI_CONFIG, json({ os: 'linux', architecture, config: {}, rootfs }))
    const manifest = json({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [layer] })
    return { ...(await put(OCI_MANIFEST, manifest)), platform: { os: 'linux', architecture } }
  }
  const manifests = [await image('amd64'), await image('arm64')]
  const all = await put(OCI_INDEX, json({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }))
  const named = (descriptor: object | undefined, name: string) => ({
    ...descriptor,
    annotations: { 'org.opencontainers.image.ref.name': name },
  })
  const index = { schemaVersion: 2, manifests: [named(manifests[0], 'v1'), named(all, 'all')] }
  await writeFile(join(folder, 'index.json'), json(index))
  await writeFile(join(folder, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }))
}

describeWithPeers(['skopeo'], 'the embedded registry and skopeo', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let registry: TestRegistry
  const at = (name: string) => join(folder.path, name)
  const image = (name: string) => `docker://${registry.host}/${name}`
  const skopeo = async (...args: string[]) =>
    (await promisify(execFile)('skopeo', ['--insecure-policy', ...args])).stdout
  const push = (...args: string[]) => skopeo('copy', '--dest-tls-verify=false', ...args)
  const pull = (...args: string[]) => skopeo('copy', '--src-tls-verify=false', ...args)
  const manifestIn = (name: string) => readFile(join(at(name), 'manifest.json'))

  beforeAll(async () => {
    folder = await temporaryFolder()
    registry = await TestRegistry.start(at('root'))
    await writeLayout(at('layout'))
    await push(`oci:${at('layout')}:v1`, image('team/app:v1'))
  })
  afterAll(async () => {
    await registry[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  it('pushes an image, inspects it and pulls the same bytes', async () => {
    await skopeo('copy', `oci:${at('layout')}:v1`, `dir:${at('expected')}`)
    await pull(image('team/app:v1'), `dir:${at('pulled')}`)
    expect(await manifestIn('pulled')).toEqual(await manifestIn('expected'))
    const inspected = JSON.parse(await skopeo('inspect', '--tls-verify=false', image('team/app:v1')))
    expect(inspected).toMatchObject({
      Digest: digestOf(await manifestIn('expected')),
      RepoTags: ['v1'],
      Architecture: 'amd64',
    })
  })

  it('reads the storage itself as an OCI image layout', async () => {
    await skopeo('copy', `oci:${at('root/repositories/team+app')}:v1`, `dir:${at('direct')}`)
    await pull(image('team/app:v1'), `dir:${at('served')}`)
    expect(await manifestIn('direct')).toEqual(await manifestIn('served'))
    for (const { digest } of JSON.parse((await manifestIn('direct')).toString()).layers) {
      expect(digestOf(await readFile(join(at('direct'), hexOf(digest))))).toBe(digest)
    }
  })

  it('pushes and pulls an index with all its images', async () => {
    await push('--all', `oci:${at('layout')}:all`, image('team/app:all'))
    await skopeo('copy', '--all', `oci:${at('layout')}:all`, `dir:${at('all-expected')}`)
    await pull('--all', image('team/app:all'), `dir:${at('all-pulled')}`)
    expect(await manifestIn('all-pulled')).toEqual(await manifestIn('all-expected'))
    await skopeo('copy', '--all', `oci:${at('root/repositories/team+app')}:all`, `dir:${at('all-direct')}`)
    expect(await manifestIn('all-direct')).toEqual(await manifestIn('all-expected'))
  })

  it("copies from repository to repository, as Docker's types too", async () => {
    const both = ['--src-tls-verify=false', '--dest-tls-verify=false']
    await skopeo('copy', ...both, '--format', 'v2s2', image('team/app:v1'), image('docker/app:v1'))
    const raw = await skopeo('inspect', '--tls-verify=false', '--raw', image('docker/app:v1'))
    expect(JSON.parse(raw).mediaType).toBe(DOCKER_MANIFEST)
  })

  it('lists tags and deletes an image', async () => {
    await push(`oci:${at('layout')}:v1`, image('deleted/app:v1'))
    const list = async () =>
      JSON.parse(await skopeo('list-tags', '--tls-verify=false', image('deleted/app'))).Tags
    expect(await list()).toEqual(['v1'])
    await skopeo('delete', '--tls-verify=false', image('deleted/app:v1'))
    expect(await list()).toEqual([])
  })
})
