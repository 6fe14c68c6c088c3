import type { HostNames } from '../oci/host-names.ts'
import { formatReference, type Reference } from '../oci/reference.ts'

/** A repository of a registry. */
export type Location = Pick<Reference, 'host' | 'repository'>

/** Returns a reference with the preferred name of its host. The catalogue knows each image by one name. */
export function canonical<Named extends Location>(names: HostNames, reference: Named): Named {
  return { ...reference, host: names.preferred(reference.host) }
}

/** Formats a repository as `host/repository`. */
export function locationName({ host, repository }: Location): string {
  return formatReference({ host, repository })
}
