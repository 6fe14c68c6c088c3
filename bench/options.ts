import { parseArgs } from 'node:util'
import { PARTS, type Part } from './rows.ts'
import { COMPRESSION_FORMATS, type CompressionFormat } from './source/compression-formats.ts'

export type BenchOptions = {
  readonly parts: ReadonlySet<Part>
  readonly formats: readonly CompressionFormat[]
  /** The number of rounds. Each round measures everything once. */
  readonly runs: number
  /** The number of rounds that measure ctr-remote, too. It takes minutes. */
  readonly peerRuns: number
  /** Whether a missed target is an error. */
  readonly check: boolean
}

export const HELP = `Measures conversions of real layers, and prints tables of ratios.

  --only PARTS         measure only these parts, separated by commas: ${PARTS.join(', ')}
  --without PARTS      skip these parts
  --packings FORMATS   measure only layers in these compression formats: ${Object.keys(COMPRESSION_FORMATS).join(', ')}
  --runs N             number of rounds; default: 3
  --peer-runs N        number of rounds that measure ctr-remote, too; default: 1
  --check              exit with status 1 if a target is missed
`

/**
 * Parses the command line. Returns undefined if help is requested.
 * @throws TypeError if an option is invalid
 */
export function parseOptions(args: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      without: { type: 'string' },
      packings: { type: 'string' },
      runs: { type: 'string', default: '3' },
      'peer-runs': { type: 'string', default: '1' },
      check: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  const without = new Set(parseList('--without', values.without ?? '', PARTS))
  const only = values.only === undefined ? PARTS : parseList('--only', values.only, PARTS)
  const formats = Object.keys(COMPRESSION_FORMATS) as CompressionFormat[]
  const runs = parseCount('--runs', values.runs)
  return {
    parts: new Set(only.filter((part) => !without.has(part))),
    formats: values.packings === undefined ? formats : parseList('--packings', values.packings, formats),
    runs,
    peerRuns: Math.min(runs, parseCount('--peer-runs', values['peer-runs'])),
    check: values.check,
  }
}

function parseList<T extends string>(option: string, text: string, allowed: readonly T[]): T[] {
  return text
    .split(',')
    .filter((name) => name !== '')
    .map((name) => {
      const match = allowed.find((value) => value === name)
      if (match === undefined)
        throw new TypeError(`${option}: unknown value ${name}; expected some of ${allowed.join(', ')}`)
      return match
    })
}

function parseCount(option: string, text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new TypeError(`${option}: expected a number from 1 to 999`)
  return Number(text)
}
