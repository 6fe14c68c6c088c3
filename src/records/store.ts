import type { Database } from '../db/database.ts'
import type { ProjectScope, Scoped } from '../db/project-scope.ts'
import { HostNames } from '../oci/host-names.ts'
import { ProjectRecords } from './project-records.ts'
import { RecordListing } from './record-listing.ts'

/** Stores records in the database: uploaded records, and records made from them. Each belongs to a project. */
export class RecordStore implements Scoped<ProjectRecords> {
  readonly #shared: ConstructorParameters<typeof ProjectRecords>[0]

  /** @param names the names of a registry, under which references mean the same image; default: there is none */
  constructor(database: Database, names = new HostNames([])) {
    this.#shared = { database, names, listing: new RecordListing(database, names) }
  }

  in(scope: ProjectScope): ProjectRecords {
    return new ProjectRecords(this.#shared, scope)
  }

  /**
   * Adds the terms of some records that earlier releases stored.
   * @returns false if all records have their terms
   */
  indexTerms(limit: number): Promise<boolean> {
    return this.#shared.listing.indexTerms(limit)
  }
}
