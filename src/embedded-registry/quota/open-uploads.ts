import { basename } from 'node:path'
import { DistributionError } from '../errors.ts'
import { projectOfUpload } from '../upload-name.ts'
import { Tally } from './tally.ts'

export const MAX_OPEN_UPLOADS_OF_PROJECT = 1000
export const MAX_OPEN_UPLOADS = 10_000

/**
 * The uploads that are not finished, by the paths of their files. Each is a file and a hash in memory even if it is
 * empty, so their number is bounded. None is removed in favour of another: a slow push must not lose its bytes.
 */
export class OpenUploads {
  readonly #paths = new Set<string>()
  readonly #ofProject = new Tally()

  /** Adds an upload. @throws DistributionError TOOMANYREQUESTS */
  open(path: string): void {
    const project = projectOfUpload(basename(path))
    if (this.#ofProject.of(project) >= MAX_OPEN_UPLOADS_OF_PROJECT)
      throw tooManyUploads(`the project ${project}`, MAX_OPEN_UPLOADS_OF_PROJECT)
    if (this.#paths.size >= MAX_OPEN_UPLOADS) throw tooManyUploads('the registry', MAX_OPEN_UPLOADS)
    this.found(path)
  }

  /** Adds an upload of a former process, whatever their number. */
  found(path: string): void {
    this.#paths.add(path)
    this.#ofProject.add(projectOfUpload(basename(path)), 1)
  }

  /** Removes an upload. @returns whether it was open: only then its bytes are still counted */
  close(path: string): boolean {
    if (!this.#paths.delete(path)) return false
    this.#ofProject.add(projectOfUpload(basename(path)), -1)
    return true
  }
}

function tooManyUploads(whose: string, limit: number): DistributionError {
  const message = `${whose} has ${limit} unfinished uploads (openUploads), which is the most; finish or cancel some (DELETE of their location): those that receive nothing are removed after a day`
  return new DistributionError('TOOMANYREQUESTS', 429, message, { detail: { bound: 'openUploads', limit } })
}
