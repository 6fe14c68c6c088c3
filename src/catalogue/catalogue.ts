import type { Database } from '../db/database.ts'
import type { HostNames } from '../oci/host-names.ts'
import { type Viewer, VisibleCatalogue } from './visible-catalogue.ts'

/** What was last seen in registries. */
export class Catalogue {
  readonly #db: Database
  readonly #names: HostNames

  constructor(database: Database, names: HostNames) {
    this.#db = database
    this.#names = names
  }

  seenBy(viewer: Viewer): VisibleCatalogue {
    return new VisibleCatalogue(this.#db, this.#names, viewer)
  }
}
