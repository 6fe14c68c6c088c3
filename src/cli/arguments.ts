import { InvalidArgumentError } from 'commander'
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

/** A share above 0, up to 1. */
export function share(text: string): number {
  if (!/^(0?\.\d+|1(\.0+)?)$/.test(text)) throw new InvalidArgumentError('expected a number above 0, up to 1')
  return Number(text)
}

/** Collects the values of an option that can be given more than once. */
export function collect(parse: (text: string) => string): (text: string, previous?: string[]) => string[] {
  return (text, previous = []) => [...previous, parse(text)]
}

function parsedBy<Value>(parse: (text: string) => Value, text: string): Value {
  try {
    return parse(text)
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
}
