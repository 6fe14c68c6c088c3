import type { HostNames } from '../oci/host-names.ts'
import { formatReference, type Reference } from '../oci/reference.ts'

/** A repository of a registry. */
export type Location = Pick<Reference, 'host' | 'repository'>

/** Returns a reference with the preferred name of its host. The catalogue knows each image by one name. */
export function canonical<Named extends Location>(names: HostNames, reference: Named): Named {
  return { ...reference, host: names.preferred(reference.host) }
}

/** Follows every character of a repository's name. */
const AFTER_NAME = '~'

/** The range of the names of a registry's repositories: from `from` on, and below `below`. */
export function locationsOf(registry: string): { readonly from: string; readonly below: string } {
  return { from: `${registry}/`, below: `${registry}/${AFTER_NAME}` }
}

/** Formats a repository as `host/repository`. */
export function locationName({ host, repository }: Location): string {
  return formatReference({ host, repository })
}

/** Parses `host/repository`. */
export function splitLocation(name: string): Location {
  const slash = name.indexOf('/')
  return { host: name.slice(0, slash), repository: name.slice(slash + 1) }
}
