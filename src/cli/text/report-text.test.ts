import { describe, expect, it } from 'vitest'
import { digestOf } from '../../oci/digest.ts'
import { recordText } from './record-text.ts'
import { evaluationText, inspectionText, verificationText } from './report-text.ts'

const digest = digestOf('layer')

describe('reports', () => {
  it('of inspections list prioritized files, problems and other manifests', () => {
    const text = inspectionText({
      reference: 'r.test/app:1',
      images: [
        {
          platform: 'linux/amd64',
          digest,
          size: 2048,
          layers: [
            {
              digest,
              size: 1024,
              estargz: true,
              entryCount: 3,
              prioritizedFiles: ['usr/bin/app'],
              prefetchBytes: 512,
            },
            { digest, size: 1024, estargz: false, problem: 'the footer is damaged' },
          ],
        },
      ],
      others: [{ digest, reason: 'an attestation' }],
    } as never)
    expect(text.split('\n')).toEqual([
      'r.test/app:1',
      `  linux/amd64 ${digest}, 2.00 KiB`,
      `    ${digest} 1.00 KiB eStargz, 3 entries, 1 prioritized (512 B)`,
      '      usr/bin/app',
      `    ${digest} 1.00 KiB not eStargz; the footer is damaged`,
      `  ${digest}: an attestation`,
      '',
    ])
  })

  it('of verifications show a failure, its layer and the differences', () => {
    const text = verificationText({
      reference: 'r.test/app:1',
      verified: false,
      images: [
        {
          platform: 'linux/amd64',
          digest,
          differences: ['usr/bin/app: the mode differs'],
          layers: [
            { digest, entryCount: 2, chunkCount: 1 },
            { digest, problem: 'a chunk has another digest' },
          ],
        },
      ],
    } as never)
    expect(text).toContain('r.test/app:1: FAILED\n')
    expect(text).toContain('1 difference from the source')
    expect(text).toContain(`${digest} 2 entries, 1 chunk\n`)
    expect(text).toContain(`${digest} a chunk has another digest\n`)
    expect(text).toContain('    usr/bin/app: the mode differs\n')
  })

  it('of evaluations list missing and hidden paths, and the estimate', () => {
    const cost = { bytes: 1024, requestCount: 2 }
    const text = evaluationText({
      image: 'r.test/app:1',
      images: [
        {
          platform: 'linux/amd64',
          record: {
            entryCount: 3,
            pathCount: 3,
            placedCount: 1,
            followedCount: 0,
            notFoundCount: 1,
            notFound: [{ path: 'usr/bin/apps', nearest: 'usr/bin/app' }],
            hiddenCount: 1,
            hidden: ['etc/gone'],
            layers: [],
            imageBytes: 4096,
            prefetchBytes: 1024,
            exact: false,
            start: { withRecord: cost, withoutRecord: cost, wholePull: cost },
          },
        },
      ],
    } as never)
    expect(text).toContain('1 of 3 recorded paths placed')
    expect(text).toContain('missing usr/bin/apps; nearest: usr/bin/app')
    expect(text).toContain('hidden etc/gone')
    expect(text).toContain('prefetches about 1.00 KiB of 4.00 KiB')
    expect(text).toContain('staleness unknown: there is nothing to compare with')
  })

  it('of records show publications, removed roots and warnings', () => {
    const text = recordText({
      id: '1',
      digest,
      image: 'r.test/app:1',
      workload: 'serve',
      entryCount: 2,
      createdAt: '2026-01-01T00:00:00Z',
      publications: [{ reference: 'r.test/app:record', digest }],
      roots: [{ root: '/var/lib/docker/overlay2/x/merged', pathCount: 2 }],
      warnings: ['1 line was skipped'],
      inImage: { platforms: [{ platform: 'linux/amd64', pathCount: 2, foundCount: 1 }] },
    } as never)
    expect(text.split('\n')).toEqual([
      '1 2026-01-01T00:00:00Z 2 entries r.test/app:1 serve',
      `  r.test/app:record@${digest}`,
      '  removed the prefix /var/lib/docker/overlay2/x/merged from 2 paths',
      '  linux/amd64: the image contains 1 of 2 paths',
      '  warning: 1 line was skipped',
      '',
    ])
  })
})
