import type { Conversions, ConversionMeasurement } from './conversions.ts'
import { convertByCtrRemote, missingForCtrRemote } from './ctr-remote.ts'
import { measure } from './measure/measure.ts'
import type { SourceImage } from './source/source-image.ts'

/**
 * What can be chosen on the command line. `rss` is the layer of 4 GiB, `entries` that of 260,000 entries, `reuse` the cache;
 * the others are rows of the tables.
 */
export const PARTS = [
  'transcode',
  'auto',
  'refine',
  'recompress',
  'record',
  'rearrange',
  'ctr-remote',
  'rss',
  'entries',
  'reuse',
] as const
export type Part = (typeof PARTS)[number]

export type RowId =
  | Exclude<Part, 'ctr-remote' | 'rss' | 'entries' | 'reuse'>
  | 'gunzip'
  | 'ctr-remote-6'
  | 'ctr-remote-9'

/** One line of a table: something that is done with a source image, and measured. */
export type Row = {
  readonly id: RowId
  readonly name: string
  /** undefined: what others are compared with, always there. */
  readonly part: Part | undefined
  /** Whether it is a conversion of ours, and whether that should take no scratch disk. */
  readonly isBrokerConversion: boolean
  readonly mustAvoidScratch: boolean
  /** A string: why there is nothing to measure; the row is left out from then on. */
  readonly measure: (image: SourceImage) => Promise<ConversionMeasurement | string>
}

const HASHING = 'set -o pipefail; for layer; do gzip -dc "$layer" | sha256sum; done'

/** All rows, in the order in which they are measured and printed. */
export function createRows(conversions: Conversions, signal: AbortSignal): Row[] {
  const gunzip: Row = {
    id: 'gunzip',
    name: 'gzip -dc \\| sha256sum',
    part: undefined,
    isBrokerConversion: false,
    mustAvoidScratch: false,
    measure: ({ layers }) =>
      measure(['bash', '-c', HASHING, 'bash', ...layers.map(({ compressedPath: packed }) => packed)], signal),
  }
  const ours = (id: RowId & Part, name: string, options: readonly string[]): Row => ({
    id,
    name,
    part: id,
    isBrokerConversion: true,
    mustAvoidScratch: true,
    measure: (image) => conversions.convert(image, options),
  })
  const withRecord: Pick<Row, 'ours' | 'scratchless'> = { isBrokerConversion: true, mustAvoidScratch: false }
  return [
    gunzip,
    ours('transcode', 'convert --compression transcode', ['--compression', 'transcode']),
    ours('auto', 'convert', []),
    ours('refine', 'convert --compression refine', ['--compression', 'refine']),
    ours('recompress', 'convert --compression recompress --compression-level 6', [
      '--compression',
      'recompress',
      '--compression-level',
      '6',
    ]),
    {
      id: 'record',
      name: 'convert --record',
      part: 'record',
      ...withRecord,
      measure: (image) => conversions.convertWithRecord(image),
    },
    {
      id: 'rearrange',
      name: 'the same again with another record',
      part: 'rearrange',
      ...withRecord,
      measure: (image) => conversions.rearrange(image),
    },
    ...([6, 9] as const).map(
      (level): Row => ({
        id: `ctr-remote-${level}`,
        name: `ctr-remote image convert, level ${level}`,
        part: 'ctr-remote',
        isBrokerConversion: false,
        mustAvoidScratch: false,
        measure: async (image) => missingForCtrRemote() ?? convertByCtrRemote(image, level, signal),
      }),
    ),
  ]
}
