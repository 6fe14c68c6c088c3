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
import { describeWithPeers } from '../support/peers/peers.ts'
import { TestRegistry } from '../support/servers/test-registry.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** Writes an OCI image layout with an index `all` of two one-layer images, one of which has the name `v1`. */
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
    const uncompressed = await buffer(tar)
    const layer = await put(OCI_LAYER_GZIP, gzipSync(uncompressed))
    const rootfs = { type: 'layers', diff_ids: [digestOf(uncompressed)] }
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
  const inFolder = (name: string) => join(folder.path, name)
  const image = (name: string) => `docker://${registry.host}/${name}`
  const skopeo = async (...args: string[]) =>
    (await promisify(execFile)('skopeo', ['--insecure-policy', ...args])).stdout
  const push = (...args: string[]) => skopeo('copy', '--dest-tls-verify=false', ...args)
  const pull = (...args: string[]) => skopeo('copy', '--src-tls-verify=false', ...args)
  const manifestIn = (name: string) => readFile(join(inFolder(name), 'manifest.json'))

  beforeAll(async () => {
    folder = await temporaryFolder()
    registry = await TestRegistry.start(inFolder('root'))
    await writeLayout(inFolder('layout'))
    await push(`oci:${inFolder('layout')}:v1`, image('team/app:v1'))
  })
  afterAll(async () => {
    await registry[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  it('push, inspect and pull an image without changing its bytes', async () => {
    await skopeo('copy', `oci:${inFolder('layout')}:v1`, `dir:${inFolder('expected')}`)
    await pull(image('team/app:v1'), `dir:${inFolder('pulled')}`)
    expect(await manifestIn('pulled')).toEqual(await manifestIn('expected'))
    const inspected = JSON.parse(await skopeo('inspect', '--tls-verify=false', image('team/app:v1')))
    expect(inspected).toMatchObject({
      Digest: digestOf(await manifestIn('expected')),
      RepoTags: ['v1'],
      Architecture: 'amd64',
    })
  })

  it('share the storage folder as an OCI image layout', async () => {
    await skopeo('copy', `oci:${inFolder('root/repositories/team+app')}:v1`, `dir:${inFolder('direct')}`)
    await pull(image('team/app:v1'), `dir:${inFolder('served')}`)
    expect(await manifestIn('direct')).toEqual(await manifestIn('served'))
    for (const { digest } of JSON.parse((await manifestIn('direct')).toString()).layers) {
      expect(digestOf(await readFile(join(inFolder('direct'), hexOf(digest))))).toBe(digest)
    }
  })

  it('push and pull an index with all its images', async () => {
    await push('--all', `oci:${inFolder('layout')}:all`, image('team/app:all'))
    await skopeo('copy', '--all', `oci:${inFolder('layout')}:all`, `dir:${inFolder('all-expected')}`)
    await pull('--all', image('team/app:all'), `dir:${inFolder('all-pulled')}`)
    expect(await manifestIn('all-pulled')).toEqual(await manifestIn('all-expected'))
    await skopeo(
      'copy',
      '--all',
      `oci:${inFolder('root/repositories/team+app')}:all`,
      `dir:${inFolder('all-direct')}`,
    )
    expect(await manifestIn('all-direct')).toEqual(await manifestIn('all-expected'))
  })

  it("copy images between repositories, also with Docker's media types", async () => {
    const both = ['--src-tls-verify=false', '--dest-tls-verify=false']
    await skopeo('copy', ...both, '--format', 'v2s2', image('team/app:v1'), image('docker/app:v1'))
    const raw = await skopeo('inspect', '--tls-verify=false', '--raw', image('docker/app:v1'))
    expect(JSON.parse(raw).mediaType).toBe(DOCKER_MANIFEST)
  })

  it('list tags and delete an image', async () => {
    await push(`oci:${inFolder('layout')}:v1`, image('deleted/app:v1'))
    const list = async () =>
      JSON.parse(await skopeo('list-tags', '--tls-verify=false', image('deleted/app'))).Tags
    expect(await list()).toEqual(['v1'])
    await skopeo('delete', '--tls-verify=false', image('deleted/app:v1'))
    expect(await list()).toEqual([])
  })
})
