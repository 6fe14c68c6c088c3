import type { Repository } from '../../registry/repository.ts'
import type { Pacer } from './pacer.ts'

/** The parts of a repository that the catalogue reads. */
export type RegistrySource = Pick<
  Repository,
  'resolve' | 'getManifest' | 'readBlob' | 'readJsonBlob' | 'listTags' | 'listReferrers'
>

/** A repository that is read with the credentials of a project, until it is disposed of. */
export type OpenedSource = AsyncDisposable & { readonly source: RegistrySource }

/** The tags of a page, see `registry/list-tags.ts`. */
const TAGS_PER_REQUEST = 100

/** Reads a repository at the pace of a background scan. */
export class PacedSource implements RegistrySource {
  readonly #source: RegistrySource
  readonly #pacer: Pacer

  constructor(source: RegistrySource, pacer: Pacer) {
    this.#source = source
    this.#pacer = pacer
  }

  async resolve(...request: Parameters<RegistrySource['resolve']>) {
    await this.#pacer.take(request[1]?.signal)
    return this.#source.resolve(...request)
  }

  async getManifest(...request: Parameters<RegistrySource['getManifest']>) {
    await this.#pacer.take(request[1]?.signal)
    return this.#source.getManifest(...request)
  }

  async readBlob(...request: Parameters<RegistrySource['readBlob']>) {
    await this.#pacer.take(request[1].signal)
    return this.#source.readBlob(...request)
  }

  async readJsonBlob(...request: Parameters<RegistrySource['readJsonBlob']>) {
    await this.#pacer.take(request[1].signal)
    return this.#source.readJsonBlob(...request)
  }

  async listReferrers(...request: Parameters<RegistrySource['listReferrers']>) {
    await this.#pacer.take(request[1]?.signal)
    return this.#source.listReferrers(...request)
  }

  async *listTags(options: NonNullable<Parameters<RegistrySource['listTags']>[0]> = {}) {
    await this.#pacer.take(options.signal)
    let count = 0
    for await (const tag of this.#source.listTags(options)) {
      yield tag
      count += 1
      if (count % TAGS_PER_REQUEST === 0) await this.#pacer.take(options.signal)
    }
  }
}
