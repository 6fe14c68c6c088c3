import { InvalidArgumentError } from 'commander'
import { ProjectName } from '../access/projects/project.ts'
import { parseRepositoryPattern } from '../access/repository-patterns.ts'
import { isPlatformText } from '../oci/platform.ts'
import { parseHost, parseReference } from '../oci/reference.ts'

/**
 * Parsers of command line arguments. Each throws an InvalidArgumentError, which commander prints with the
 * argument's name.
 */

/** An image reference, returned as it was typed. */
export function reference(text: string): string {
  parsedBy(parseReference, text)
  return text
}

/** An image reference with a tag and without a digest, which a result can be pushed to. */
export function target(text: string): string {
  const { tag, digest } = parsedBy(parseReference, text)
  if (digest !== undefined)
    throw new InvalidArgumentError('expected a tag, and no digest: the result has its own')
  if (tag === undefined) throw new InvalidArgumentError(`expected a tag, such as ${text}:1.0-esgz`)
  return text
}

/** The host of a registry, such as `registry.example:5000`. */
export function host(text: string): string {
  return parsedBy(parseHost, text)
}

/** A platform, such as `linux/arm64`. */
export function platform(text: string): string {
  if (!isPlatformText(text)) throw new InvalidArgumentError('expected os/architecture[/variant]')
  return text
}

/** A whole number of at most 12 digits. */
export function count(text: string): number {
  if (!/^\d{1,12}$/.test(text)) throw new InvalidArgumentError('expected a whole number')
  return Number(text)
}

const UNITS: Readonly<Record<string, number>> = { '': 1, B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }

/** A number of bytes, with or without a unit: `65536`, `64KiB`, `4MiB`. */
export function size(text: string): number {
  const [, number = '', unit = ''] = /^(\d{1,12}) ?([KMG]iB|B)?$/.exec(text) ?? []
  if (number === '')
    throw new InvalidArgumentError('expected a number of bytes, such as 65536, 64KiB or 4MiB')
  return Number(number) * (UNITS[unit] ?? 1)
}

/** A whole number from -100 to 100. */
export function priority(text: string): number {
  if (!/^-?\d{1,3}$/.test(text) || Math.abs(Number(text)) > 100) {
    throw new InvalidArgumentError('expected a whole number from -100 to 100')
  }
  return Number(text)
}

/** A label, `key=value`. */
export function label(text: string): string {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9._/-]{0,62}=/.test(text)) {
    throw new InvalidArgumentError('expected key=value, with a key of up to 63 letters, digits and . _ / -')
  }
  return text
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** A time: RFC 3339, a date, or a time ago such as `30m`, `12h` or `7d`. Returned as RFC 3339. */
export function time(text: string): string {
  const [, number = '', unit = ''] = /^(\d{1,6})([mhd])$/.exec(text) ?? []
  const ms = number === '' ? Date.parse(text) : Date.now() - Number(number) * (UNIT_MS[unit] ?? 0)
  if (Number.isNaN(ms) || (number === '' && !/^\d{4}-\d\d-\d\d/.test(text))) {
    throw new InvalidArgumentError(
      'expected a time such as 2026-01-31T12:00:00Z, 2026-01-31, or 12h or 7d ago',
    )
  }
  return new Date(ms).toISOString()
}

/** A duration such as `30s`, `15m`, `12h` or `90d`, in seconds. */
export function duration(text: string): number {
  const [, number = '', unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  if (number === '') throw new InvalidArgumentError('expected a duration such as 30s, 15m, 12h or 90d')
  return (Number(number) * (UNIT_MS[unit] ?? 0)) / 1000
}

/** A duration in seconds, or `never`. */
export function durationOrNever(text: string): number | 'never' {
  if (text === 'never') return text
  try {
    return duration(text)
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}, or never`)
  }
}

/** The name of a project. */
export function projectName(text: string): string {
  const { success, error } = ProjectName.safeParse(text)
  if (!success) throw new InvalidArgumentError(error.issues[0]?.message ?? 'expected the name of a project')
  return text
}

/** A pattern of repositories, such as `registry.example/team/**`. */
export function repositoryPattern(text: string): string {
  parsedBy(parseRepositoryPattern, text)
  return text
}

/** A share above 0, up to 1. */
export function share(text: string): number {
  if (!/^(0?\.\d+|1(\.0+)?)$/.test(text)) throw new InvalidArgumentError('expected a number above 0, up to 1')
  return Number(text)
}

/** One of several values. */
export function oneOf<Value extends string>(values: readonly Value[]): (text: string) => Value {
  return (text) => {
    if (values.includes(text as Value)) return text as Value
    throw new InvalidArgumentError(`expected one of ${values.join(', ')}`)
  }
}

/** Collects the values of an option that can be given more than once. */
export function collect<Value>(
  parse: (text: string) => Value,
): (text: string, previous?: Value[]) => Value[] {
  return (text, previous = []) => [...previous, parse(text)]
}

function parsedBy<Value>(parse: (text: string) => Value, text: string): Value {
  try {
    return parse(text)
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
}

/** The option that names the platforms of an image, for commander. */
export const PLATFORMS_OPTION = [
  '--platform <platform>',
  'os/architecture[/variant]; can be given more than once; default: all platforms',
  collect(platform),
] as const
