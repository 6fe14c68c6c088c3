import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { DOCKER_CONFIG, DOCKER_LAYER_GZIP, DOCKER_MANIFEST } from '../../src/oci/media-types.ts'
import { publishRecordImage } from '../../src/records/images/publish-record-image.ts'
import { writeRecordFile } from '../../src/records/model.ts'
import { ConversionBench } from '../support/conversion-bench.ts'
import { buildTar, dir, file } from '../support/images/build-tar.ts'
import { pushImage, pushIndex } from '../support/images/push-image.ts'
import { startDockerRegistry } from '../support/peers/docker-registry.ts'
import { describeWithPeers } from '../support/peers/peers.ts'
import { buildRegistryTool } from '../support/peers/registry-tools.ts'
import { runProgram } from '../support/run-program.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const layers = [
  { tar: buildTar(dir('usr'), file('usr/a', 'a'.repeat(5000)), file('usr/b', 'b'.repeat(70_000))) },
  { tar: buildTar(dir('etc'), file('etc/conf', 'conf')) },
]

describeWithPeers(['docker-registry', 'go', 'tar'], 'results in other tools', () => {
  let registry: Awaited<ReturnType<typeof startDockerRegistry>>
  let bench: ConversionBench
  beforeAll(async () => {
    registry = await startDockerRegistry()
    bench = await ConversionBench.open(registry.host)
    const repository = bench.repository('app')
    // As in many registries: the media types of Docker, and the config inline in its descriptor.
    const amd = await pushImage(repository, {
      layers: layers.map((layer) => ({ ...layer, mediaType: DOCKER_LAYER_GZIP })),
      manifestFields: { mediaType: DOCKER_MANIFEST },
      configDescriptorFields: (config) => ({ mediaType: DOCKER_CONFIG, data: config.toString('base64') }),
      configText: (ids) =>
        `{"architecture":"amd64","os":"linux","config":{"Healthcheck":{"Interval":9223372036854775807}},"rootfs":{"diff_ids":${JSON.stringify(ids)}}}`,
    })
    const arm = await pushImage(repository, { layers, architecture: 'arm64' })
    const inner = await pushIndex(repository, [arm], 'inner')
    await pushIndex(repository, [amd, inner], 'index')
    await repository.putManifest((await repository.getManifest(amd.digest)).bytes, DOCKER_MANIFEST, 'image')
  })
  afterAll(async () => {
    await bench?.[Symbol.asyncDispose]()
    await registry?.stop()
  })

  it.each(['image', 'index'])('are valid for crane with any options: an %s', async (tag) => {
    const record = { inline: [{ path: 'etc/conf' }, { path: 'usr/b' }] }
    const source = `${registry.host}/app:${tag}`
    for (const [i, fields] of [
      {},
      { record },
      { record, options: { attachRecord: true, link: 'subject' as const } },
      { options: { externalToc: true } },
      { options: { externalToc: true, keepDiffId: true } },
      { record, options: { minChunkSize: 50_000 } },
      { record, options: { format: 'zstd-chunked' as const, reader: 'containers-storage' as const } },
    ].entries()) {
      await bench.convert({ source, target: `${registry.host}/app:${tag}-${i}`, ...fields })
    }
    await bench.validate()
  })

  it('can be downloaded by oras and read by GNU tar, if they are record file images', async () => {
    await using folder = await temporaryFolder()
    const entries = [{ path: 'usr/bin/app' }, { path: 'etc/conf' }]
    await publishRecordImage(bench.repository('app'), entries, { tag: 'record' })
    const image = `${registry.host}/app:record`
    await runProgram(await buildRegistryTool('oras'), 'pull', '--plain-http', '-o', folder.path, image)
    expect(await readdir(folder.path)).toEqual(['stargz.record.json.tar.gz'])
    const written = join(folder.path, 'stargz.record.json.tar.gz')
    expect(await runProgram('tar', '-xzOf', written, 'stargz.record.json')).toBe(writeRecordFile(entries))
  })
})
