import type { HostNames } from '../../oci/host-names.ts'
import { parseReference } from '../../oci/reference.ts'
import { tryParseReference } from '../../records/profiled-digest.ts'
import { canonical, locationName } from '../location.ts'
import { type PlaceTerms, placeTermsOf } from '../visible-repositories.ts'
import type { ConversionRelation } from './conversion-relation.ts'

/** How an image takes part in a conversion. */
export type ConversionRole = 'source' | 'result' | 'record'

/** Returns the term for a conversion in which an image has a role. */
export function conversionTerm(role: ConversionRole, name: string): string {
  return `${role} ${name}`
}

/** The terms for the repositories of the source and the result of a conversion. */
export function conversionPlaceTerms(role: 'source' | 'result'): PlaceTerms {
  return { at: (name) => `${role}-at ${name}`, in: (path) => `${role}-in ${path}` }
}

/** What of a conversion decides by which terms it is found. */
type IndexedConversion = Pick<
  ConversionRelation,
  'source' | 'sourceDigest' | 'target' | 'digest' | 'images' | 'recordImages' | 'recordId'
>

/** Returns the terms by which a conversion is found. */
export function termsOfConversion(conversion: IndexedConversion, names: HostNames): string[] {
  const { source, sourceDigest, target, digest, images, recordImages, recordId } = conversion
  const records = recordImages.flatMap((name) => {
    const named = tryParseReference(name)
    if (!named) return []
    const reference = canonical(names, named)
    const { tag } = reference
    return [
      ...(reference.digest === undefined ? [] : [reference.digest]),
      ...(tag === undefined ? [] : [`${locationName(reference)}:${tag}`]),
    ]
  })
  const terms = (role: ConversionRole, named: readonly string[]) =>
    named.map((name) => conversionTerm(role, name))
  return [
    ...terms('source', [source, sourceDigest, ...images.map((image) => image.source)]),
    ...terms('result', [target, digest, ...images.map((image) => image.digest)]),
    ...terms('record', [...records, ...(recordId === undefined ? [] : [recordId])]),
    ...placeTermsOf(parseReference(source), conversionPlaceTerms('source')),
    ...placeTermsOf(parseReference(target), conversionPlaceTerms('result')),
  ]
}
