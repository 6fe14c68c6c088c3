import type { JobFilter } from '../lists/job-filter.ts'
import type { NewJob } from './accept-job.ts'

/** The names of images: some registries have several names, and one of them is preferred. */
export type ImageNames = {
  /** The preferred name of a host. */
  preferred(host: string): string
  /** @param reference in its canonical form */
  preferredReference(reference: string): string
  /** All names of an image or of a repository, the preferred one first. */
  allReferences(reference: string): readonly string[]
}

/** Each image has one name. */
export const SINGLE_NAMES: ImageNames = {
  preferred: (host) => host,
  preferredReference: (reference) => reference,
  allReferences: (reference) => [reference],
}

/** Names the images of a job by their preferred names, so that equal work is recognised as such. */
export function withPreferredNames(job: NewJob, names: ImageNames): NewJob {
  const { source, target, comparedWith, sourceHost, targetHost } = job
  const preferred = (reference: string) => (reference === '' ? '' : names.preferredReference(reference))
  return {
    ...job,
    source: preferred(source),
    target: preferred(target),
    ...(comparedWith !== undefined && { comparedWith: preferred(comparedWith) }),
    ...(sourceHost !== undefined && { sourceHost: names.preferred(sourceHost) }),
    ...(targetHost !== undefined && { targetHost: names.preferred(targetHost) }),
  }
}

/** Selects jobs by every name of an image: the preferred name may have been another when a job was created. */
export function withAllNames(filter: JobFilter, images: ImageNames): JobFilter {
  const { source, target, comparedWith, repository } = filter
  const all = (names: string | readonly string[]) =>
    [names].flat().flatMap((name) => images.allReferences(name))
  return {
    ...filter,
    ...(source !== undefined && { source: all(source) }),
    ...(target !== undefined && { target: all(target) }),
    ...(comparedWith !== undefined && { comparedWith: all(comparedWith) }),
    ...(repository !== undefined && { repository: all(repository) }),
  }
}
