import { z } from 'zod'
import { isDigest } from '../oci/digest.ts'
import { isPlatformText } from '../oci/platform.ts'
import { formatReference, parseReference, ReferenceText } from '../oci/reference.ts'

const MAX_ITEMS = 500
const USUAL_ITEMS = 50

/** Of every listing: how many items, and where to go on. */
export const Paging = {
  limit: z.coerce.number().int().min(1).max(MAX_ITEMS).default(USUAL_ITEMS).describe('Items of a page.'),
  cursor: z.string().max(1000).optional().describe('`next` of the page before.'),
}

export const Id = z.object({ id: z.uuid() })

/** The rest of the path, which is a reference. */
export const ReferencePath = z.object({
  '*': ReferenceText.describe(
    'A reference: the rest of the path, slashes included, as in `/registry.example/team/app:1.0`.',
  ),
})

export const PlatformName = z
  .string()
  .max(100)
  .refine(isPlatformText, 'a platform is os/architecture or os/architecture/variant')

/** A profiled image: its reference, or its digest alone. */
export const ImageName = z
  .string()
  .min(1)
  .max(600)
  .refine(
    (text) => isDigest(text) || ReferenceText.safeParse(text).success,
    'expected a reference or a digest',
  )
  .describe('The profiled image, as a reference or a digest.')

export const Workload = z
  .string()
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9 ._+-]{0,99}$/, 'expected up to 100 letters, digits, spaces and . _ + -')
  .describe('What ran in the container, such as go-version.')

const Label = z
  .string()
  .regex(
    /^[a-zA-Z0-9][a-zA-Z0-9._/-]{0,62}=.{0,256}$/,
    'expected key=value, with a key of up to 63 characters',
  )

/** One label or more. */
export const LabelList = z
  .union([Label, z.array(Label).max(50)])
  .describe('A label as key=value; can be given more than once.')

/** Labels in a JSON body. */
export const Labels = z
  .record(
    z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9._/-]{0,62}$/, 'expected a key of up to 63 characters'),
    z.string().max(256),
  )
  .refine((labels) => Object.keys(labels).length <= 50, 'expected at most 50 labels')

export function labelsOf(given: z.infer<typeof LabelList> | undefined): Record<string, string> {
  const pairs = [given ?? []].flat().map((text): [string, string] => {
    const equals = text.indexOf('=')
    return [text.slice(0, equals), text.slice(equals + 1)]
  })
  return Object.fromEntries(pairs)
}

/** The same image always in the same words: `alpine` is `docker.io/library/alpine`. */
export function canonicalImage(text: string): string {
  return isDigest(text) ? text : formatReference(parseReference(text))
}

/** A moment as it is shown. */
export function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}

export const Moment = z.iso.datetime().describe('RFC 3339, UTC.')
