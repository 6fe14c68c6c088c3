import { z } from 'zod'
import { isDigest } from '../oci/digest.ts'
import { isPlatformText } from '../oci/platform.ts'
import { formatReference, parseReference, ReferenceText } from '../oci/reference.ts'

const MAX_PAGE_SIZE = 500
const DEFAULT_PAGE_SIZE = 50

/** The pagination parameters of every listing. */
export const PageQuery = {
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(MAX_PAGE_SIZE)
    .default(DEFAULT_PAGE_SIZE)
    .describe('The maximum number of items per page.'),
  cursor: z.string().max(1000).optional().describe('The value of `next` in the previous page.'),
}

export const IdParams = z.object({ id: z.uuid() })

/** A reference as the rest of the path. */
export const ReferencePath = z.object({
  '*': ReferenceText.describe(
    'An image reference. It is the rest of the path and may contain slashes: `/registry.example/team/app:1.0`.',
  ),
})

export const PlatformName = z
  .string()
  .max(100)
  .refine(isPlatformText, 'expected os/architecture or os/architecture/variant')

export const ImageName = z
  .string()
  .min(1)
  .max(600)
  .refine(
    (text) => isDigest(text) || ReferenceText.safeParse(text).success,
    'expected a reference or a digest',
  )
  .describe('The profiled image: a reference, or only a digest.')

export const Workload = z
  .string()
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9 ._+-]{0,99}$/, 'expected up to 100 letters, digits, spaces and . _ + -')
  .describe('The workload that ran in the container, such as `go-version`.')

/** PostgreSQL cannot store it. */
const NUL_TEXT = 'contains a NUL byte, which is not allowed in a label'

const LabelText = z
  .string()
  .regex(
    /^[a-zA-Z0-9][a-zA-Z0-9._/-]{0,62}=.{0,256}$/,
    'expected key=value, with a key of up to 63 characters',
  )
  .refine(hasNoNul, NUL_TEXT)

/** Labels in a query string: one or more. */
export const LabelQuery = z
  .union([LabelText, z.array(LabelText).max(50)])
  .describe('A label, as `key=value`. Can be repeated.')

/** Labels in a JSON body. */
export const Labels = z
  .record(
    z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9._/-]{0,62}$/, 'expected a key of up to 63 characters'),
    z.string().max(256).refine(hasNoNul, NUL_TEXT),
  )
  .refine((labels) => Object.keys(labels).length <= 50, 'expected at most 50 labels')

function hasNoNul(text: string): boolean {
  return !text.includes('\0')
}

/** Parses `key=value` texts; the value starts after the first `=`. */
export function parseLabels(query: z.infer<typeof LabelQuery> | undefined): Record<string, string> {
  const pairs = [query ?? []].flat().map((text): [string, string] => {
    const separator = text.indexOf('=')
    return [text.slice(0, separator), text.slice(separator + 1)]
  })
  return Object.fromEntries(pairs)
}

/** Returns the canonical name of an image: `alpine` becomes `docker.io/library/alpine`. */
export function canonicalImage(text: string): string {
  return isDigest(text) ? text : formatReference(parseReference(text))
}

/** Formats a time in milliseconds since 1970 for a response. */
export function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}

/** A time in a query or a body. */
export const Time = z.iso.datetime({ offset: true })

/** Parses the times that a query or a body has, and leaves out those that it has not. */
export function parseTimes<Name extends string>(
  times: Readonly<Record<Name, z.infer<typeof Time> | undefined>>,
): Partial<Record<Name, number>> {
  const given = Object.entries<string | undefined>(times).flatMap(([name, time]) =>
    time === undefined ? [] : [[name, Date.parse(time)] as const],
  )
  return Object.fromEntries(given) as Partial<Record<Name, number>>
}

export const Timestamp = z.iso.datetime().describe('A time in UTC (RFC 3339).')
