import { parseArgs } from 'node:util'
import { COMPRESSION_FORMATS, type CompressionFormat } from './source/compression-formats.ts'
import { PARTS, type Part } from './rows.ts'

export type BenchOptions = {
  readonly parts: ReadonlySet<Part>
  readonly formats: readonly CompressionFormat[]
  /** Rounds in which everything is measured once, and of ctr-remote, which takes minutes. */
  readonly runs: number
  readonly peerRuns: number
  readonly check: boolean
}

export const HELP = `Measures conversions of real layers, and prints tables of ratios.

  --only PARTS         measure these alone, comma separated: ${PARTS.join(', ')}
  --without PARTS      leave these out
  --packings PACKINGS  layers packed in these ways alone: ${Object.keys(COMPRESSION_FORMATS).join(', ')}
  --runs N             rounds; default 3
  --peer-runs N        rounds in which ctr-remote is measured too; default 1
  --check              exit with status 1 when a target is missed
`

/** @throws TypeError for what cannot be understood; undefined: help is wanted. */
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
  const without = new Set(chosen('--without', values.without ?? '', PARTS))
  const only = values.only === undefined ? PARTS : chosen('--only', values.only, PARTS)
  const packings = Object.keys(COMPRESSION_FORMATS) as CompressionFormat[]
  const runs = positive('--runs', values.runs)
  return {
    parts: new Set(only.filter((part) => !without.has(part))),
    formats: values.packings === undefined ? packings : chosen('--packings', values.packings, packings),
    runs,
    peerRuns: Math.min(runs, positive('--peer-runs', values['peer-runs'])),
    check: values.check,
  }
}

function chosen<T extends string>(option: string, text: string, among: readonly T[]): T[] {
  return text
    .split(',')
    .filter((name) => name !== '')
    .map((name) => {
      const found = among.find((one) => one === name)
      if (found === undefined) throw new TypeError(`${option}: ${name} is none of ${among.join(', ')}`)
      return found
    })
}

function positive(option: string, text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new TypeError(`${option}: expected a number from 1 to 999`)
  return Number(text)
}
