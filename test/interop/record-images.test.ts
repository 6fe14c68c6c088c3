import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { publishRecordImage } from '../../src/records/images/publish-record-image.ts'
import { writeRecordFile } from '../../src/records/model.ts'
import { RegistryClient } from '../../src/registry/client.ts'
import { buildTar, file } from '../support/images/build-tar.ts'
import { pushImage } from '../support/images/push-image.ts'
import { startDockerRegistry } from '../support/peers/docker-registry.ts'
import { describeWithPeers } from '../support/peers/peers.ts'
import { runProgram } from '../support/run-program.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

describeWithPeers(['docker-registry', 'skopeo', 'tar'], 'record file images and other tools', () => {
  it('can be copied by skopeo, and their record file read by GNU tar', async () => {
    const registry = await startDockerRegistry()
    try {
      await using client = new RegistryClient({ plainHttp: [registry.host] })
      await using folder = await temporaryFolder()
      const repository = client.repository({ host: registry.host, repository: 'team/app' })
      const subject = await pushImage(repository, { layers: [{ tar: buildTar(file('a', 'a')) }] }, '1')
      const entries = [
        { path: 'usr/bin/app' },
        { path: 'ünïcode <&>', manifestDigest: subject.digest, layerIndex: 0 },
      ]
      const { digest } = await publishRecordImage(repository, entries, { tag: 'record-1-x', subject })
      const copy = join(folder.path, 'image')
      const from = `docker://${registry.host}/team/app:record-1-x`
      await runProgram('skopeo', 'copy', '-q', '--src-tls-verify=false', from, `dir:${copy}`)
      const manifest = JSON.parse(await readFile(join(copy, 'manifest.json'), 'utf8'))
      expect(manifest.layers).toHaveLength(1)
      const layer = join(copy, manifest.layers[0].digest.slice('sha256:'.length))
      expect(await runProgram('tar', '-tzf', layer)).toBe('stargz.record.json\n')
      expect(await runProgram('tar', '-xzOf', layer, 'stargz.record.json')).toBe(writeRecordFile(entries))
      expect((await repository.listReferrers(subject.digest)).map((referrer) => referrer.digest)).toEqual([
        digest,
      ])
      const inspected = JSON.parse(await runProgram('skopeo', 'inspect', '--tls-verify=false', from))
      expect(inspected.Digest).toBe(digest)
    } finally {
      await registry.stop()
    }
  })
})
