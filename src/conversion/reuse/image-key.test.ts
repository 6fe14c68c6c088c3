import { expect, it } from 'vitest'
import { digestOf } from '../../oci/digest.ts'
import type { ConversionPlan } from '../conversion-plan.ts'
import { outputOptions } from '../request.ts'
import { computeImageKey } from './image-key.ts'
import { computeLayerKey, OUTPUT_VERSION } from './layer-key.ts'

const [index, manifest, other] = [digestOf('index'), digestOf('manifest'), digestOf('other')]

it('hashes the JSON that the keys of stored images were computed from', () => {
  const entries = [{ path: 'usr/bin/app' }]
  const origin = { reference: 'registry.example/app@sha256:0', match: 'digest' as const }
  const plan = {
    request: { source: 'app:1', target: 'app:2' },
    source: { descriptor: { digest: index } },
    images: {
      images: [{ descriptor: { digest: manifest }, platform: 'linux/amd64' }],
      others: [{ digest: other, reason: 'an artifact' }],
    },
    recordFor: () => ({ entries, createdAt: '2026-01-01T00:00:00Z', origin, profiledImageUnknown: 'copied' }),
    sourceRelation: { replacesSource: true, linksSource: false },
  } as unknown as ConversionPlan
  const hashed = [
    OUTPUT_VERSION,
    index,
    [[manifest, 'linux/amd64']],
    [other],
    outputOptions(),
    [true, false, false],
  ]
  const record = { entries, from: origin, unknown: 'copied' }
  expect(computeImageKey(plan)).toBe(digestOf(JSON.stringify([...hashed, [record]])))
  const withoutRecord = { ...plan, recordFor: undefined }
  expect(computeImageKey(withoutRecord)).toBe(digestOf(JSON.stringify([...hashed, null])))
})

it('hashes the JSON that the keys of stored layers were computed from', () => {
  const format = {
    compression: 'gzip' as const,
    externalToc: false,
    lossless: false,
    chunkSize: 4_194_304,
    minChunkSize: 0,
    tarSplit: false,
  }
  const compression = { method: 'auto' as const, level: 6 }
  const base = digestOf(
    JSON.stringify([8, manifest, 10, ['gzip', false, false], [4_194_304, 0, false], ['auto', 6]]),
  )
  expect(computeLayerKey({ digest: manifest, size: 10 }, { format, compression }, ['a'])).toEqual({
    base,
    exact: digestOf(JSON.stringify([base, ['a'], []])),
  })
})
