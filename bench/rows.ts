import type { ConversionMeasurement, Conversions } from './conversions.ts'
import { convertByCtrRemote, missingForCtrRemote } from './ctr-remote.ts'
import { measure } from './measure/measure.ts'
import type { SourceImage } from './source/source-image.ts'

/**
 * The parts of the benchmark that can be selected on the command line: the layer of 4 GiB (`rss`), the layer
 * of 260,000 entries (`entries`), the cache (`reuse`), and rows of the tables.
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

/** A row of the tables: a command that is run on a source image and measured. */
export type Row = {
  readonly id: RowId
  readonly name: string
  /** The part that selects the row. Undefined for the base of the ratios, which is always measured. */
  readonly part: Part | undefined
  readonly isBrokerConversion: boolean
  /** Whether a target requires that the command writes no scratch files. */
  readonly mustAvoidScratch: boolean
  /** Returns the reason if the command cannot be measured. Later rounds then skip the row. */
  readonly measure: (image: SourceImage) => Promise<ConversionMeasurement | string>
}

const HASHING = 'set -o pipefail; for layer; do gzip -dc "$layer" | sha256sum; done'

/** Creates all rows, in the order in which they are measured and printed. */
export function createRows(conversions: Conversions, signal: AbortSignal): Row[] {
  const gunzip: Row = {
    id: 'gunzip',
    name: 'gzip -dc \\| sha256sum',
    part: undefined,
    isBrokerConversion: false,
    mustAvoidScratch: false,
    measure: ({ layers }) => {
      const paths = layers.map(({ compressedPath }) => compressedPath)
      return measure(['bash', '-c', HASHING, 'bash', ...paths], signal)
    },
  }
  const withoutRecord = (id: RowId & Part, name: string, options: readonly string[]): Row => ({
    id,
    name,
    part: id,
    isBrokerConversion: true,
    mustAvoidScratch: true,
    measure: (image) => conversions.convert(image, options),
  })
  return [
    gunzip,
    withoutRecord('transcode', 'convert --compression transcode', ['--compression', 'transcode']),
    withoutRecord('auto', 'convert', []),
    withoutRecord('refine', 'convert --compression refine', ['--compression', 'refine']),
    withoutRecord('recompress', 'convert --compression recompress, level 6', [
      '--compression',
      'recompress',
      '--compression-level',
      '6',
    ]),
    {
      id: 'record',
      name: 'convert with a record',
      part: 'record',
      isBrokerConversion: true,
      mustAvoidScratch: false,
      measure: (image) => conversions.convertWithRecord(image),
    },
    {
      id: 'rearrange',
      name: 'again with another record (re-arranged)',
      part: 'rearrange',
      isBrokerConversion: true,
      mustAvoidScratch: false,
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
