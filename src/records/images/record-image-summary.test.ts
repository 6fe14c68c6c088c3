import { expect, it } from 'vitest'
import { digestOf } from '../../oci/digest.ts'
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../oci/media-types.ts'
import { ENTRIES_ANNOTATION } from './pack-record-image.ts'
import { summarizeRecordImage } from './record-image-summary.ts'

it('a size that a manifest made up stays a number that a response can show', async () => {
  const size = Number.MAX_SAFE_INTEGER
  const layer = { mediaType: OCI_LAYER_GZIP, digest: digestOf('layer'), size: 100 }
  const config = { mediaType: OCI_CONFIG, digest: digestOf('config'), size }
  const manifest = {
    schemaVersion: 2 as const,
    config,
    layers: [layer],
    annotations: { [ENTRIES_ANNOTATION]: '1' },
  }
  const descriptor = { mediaType: OCI_MANIFEST, digest: digestOf('manifest'), size: 500 }
  const unread = async () => {
    throw new Error('nothing has to be read')
  }
  const repository = { getManifest: unread, readBlob: unread, readJsonBlob: unread }
  const summary = await summarizeRecordImage(repository, { descriptor, manifest }, layer, {})
  expect(Number.isSafeInteger(summary.size)).toBe(true)
})
