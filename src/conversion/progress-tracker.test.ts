import { describe, expect, it } from 'vitest'
import { digestOf } from '../oci/digest.ts'
import { ProgressTracker } from './progress-tracker.ts'
import type { ConversionProgress } from './report.ts'

async function* pieces(...sizes: number[]): AsyncGenerator<Buffer> {
  for (const size of sizes) yield Buffer.alloc(size)
}

function start() {
  let latest: ConversionProgress | undefined
  const tracker = new ProgressTracker((progress) => {
    latest = progress
  })
  const layer = tracker.addLayer('linux/amd64', {
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    digest: digestOf('layer'),
    size: 100,
  })
  return { layer, seen: () => latest?.layers[0] }
}

describe('the progress of a layer', () => {
  it('that is streamed counts what was read, written and uploaded', async () => {
    const { layer, seen } = start()
    await Array.fromAsync(layer.countReads(pieces(40, 60)))
    layer.countWritten(30)
    await Array.fromAsync(layer.countUploads(pieces(10, 5)))
    expect(seen()).toMatchObject({ state: 'converting', read: 100, written: 30, uploaded: 15 })
  })

  it('that is converted to disk first counts each byte once', async () => {
    const { layer, seen } = start()
    await Array.fromAsync(layer.countReads(pieces(100)))
    layer.countWritten(90)
    layer.enterState('converted')
    layer.enterState('uploading')
    layer.countWritten(90)
    expect(seen()).toMatchObject({ state: 'uploading', written: 90, uploaded: 0 })
    layer.finish(95)
    expect(seen()).toMatchObject({ state: 'done', read: 100, written: 95, uploaded: 95 })
  })

  it('starts from zero at a retry', async () => {
    const { layer, seen } = start()
    await Array.fromAsync(layer.countReads(pieces(100)))
    layer.countWritten(90)
    layer.enterState('converted')
    await Array.fromAsync(layer.countUploads(pieces(50)))
    await Array.fromAsync(layer.countReads(pieces(20)))
    layer.countWritten(10)
    expect(seen()).toMatchObject({ read: 20, written: 10, uploaded: 0 })
  })
})
