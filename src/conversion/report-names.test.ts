import { expect, it } from 'vitest'
import { digestOf } from '../oci/digest.ts'
import { ConversionReport, VerificationProgress, VerificationReport } from './report.ts'
import { withCurrentNames } from './report-names.ts'

const digest = digestOf('any')
const fetches = { bytes: 10, requests: 2 }

/** As release 0.2.0 stored it. */
const conversion = {
  source: `registry.example/app@${digest}`,
  target: 'registry.example/app:1-esgz',
  digest,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  size: 100,
  sourceSize: 90,
  images: [
    {
      platform: 'linux/amd64',
      source: digest,
      digest,
      record: {
        from: {
          reference: `registry.example/app@${digest}`,
          match: 'digest',
          created: '2026-01-02T03:04:05Z',
        },
        entries: 3,
        paths: 3,
        placed: 2,
        followed: 1,
        notFoundCount: 1,
        notFound: [{ path: 'entries' }],
        hiddenCount: 0,
        hidden: [],
        impliedCount: 0,
        implied: [],
        programsUnread: 1,
        layers: [{ digest, size: 90, files: 2, bytes: 8, prefetchBytes: 9 }],
        imageBytes: 90,
        prefetchBytes: 9,
        exact: true,
        staleness: { profiled: 'registry.example/app:1', compared: 2, changed: 1, share: 0.5 },
        start: { withRecord: fetches, withoutRecord: fetches, wholePull: fetches },
      },
      layers: [
        {
          action: 'same-as-other',
          source: { digest, size: 90, mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip' },
          digest,
          size: 100,
          diffId: digest,
          uncompressedSize: 300,
          tocDigest: digest,
          entries: 12,
          prioritizedFiles: 2,
          prefetchBytes: 9,
          compression: { method: 'transcode', reason: 'gzip' },
        },
      ],
    },
  ],
  dropped: [],
  kept: [],
  durationMs: 5,
}

it('a stored report of a conversion is shown in the names of this release', () => {
  const report = ConversionReport.parse(withCurrentNames(conversion))
  expect(report.images[0]?.record).toMatchObject({
    from: { createdAt: '2026-01-02T03:04:05Z' },
    entryCount: 3,
    pathCount: 3,
    placedCount: 2,
    followedCount: 1,
    notFound: [{ path: 'entries' }],
    unreadProgramCount: 1,
    layers: [{ fileCount: 2 }],
    staleness: { comparedCount: 2, changedCount: 1 },
    start: { wholePull: { bytes: 10, requestCount: 2 } },
  })
  expect(report.images[0]?.layers).toMatchObject([
    { action: 'duplicate', entryCount: 12, prioritizedFileCount: 2 },
  ])
})

it('a report in these names stays as it is', () => {
  const report = withCurrentNames(conversion)
  expect(withCurrentNames(report)).toEqual(report)
})

it('a stored verification is shown in the names of this release', () => {
  const layer = { digest, size: 1, entries: 4, chunks: 5, prioritizedFiles: 1 }
  const images = [{ platform: 'linux/amd64', digest, layers: [layer] }]
  const stored = { reference: 'registry.example/app:1', verified: true, images, durationMs: 1 }
  expect(VerificationReport.parse(withCurrentNames(stored)).images[0]?.layers).toEqual([
    { digest, size: 1, entryCount: 4, chunkCount: 5, prioritizedFileCount: 1 },
  ])
  const progress = VerificationProgress.parse(withCurrentNames({ layers: 3, layersDone: 1 }))
  expect(progress).toMatchObject({ layerCount: 3, doneLayerCount: 1 })
})
