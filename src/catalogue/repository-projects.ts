import type { Database } from '../db/database.ts'
import { DEFAULT_PROJECT } from '../db/project-scope.ts'
import type { HostNames } from '../oci/host-names.ts'
import { canonical, type Location, locationName } from './location.ts'

/** Repositories of projects that are noted. Further ones are compared as those of the default project are. */
const MAX_REPOSITORIES = 100_000

/**
 * The projects with whose credentials repositories are compared: that which pushed to one last, or else the first that
 * read it. Repositories of the default project, and those that nobody used, have no row.
 */
export class RepositoryProjects {
  readonly #db: Database
  readonly #names: HostNames

  constructor(database: Database, names: HostNames) {
    this.#db = database
    this.#names = names
  }

  async of(location: Location): Promise<string> {
    const row = await this.#db.query
      .selectFrom('catalogue_projects')
      .select('project')
      .where('location', '=', this.#nameOf(location))
      .executeTakeFirst()
    return row?.project ?? DEFAULT_PROJECT
  }

  /** Notes that a project has read a repository. */
  async noteRead(location: Location, project: string): Promise<void> {
    if (project === DEFAULT_PROJECT || (await this.#isFull())) return
    await this.#db.write((query) =>
      query
        .insertInto('catalogue_projects')
        .values({ location: this.#nameOf(location), project })
        .onConflict((conflict) => conflict.doNothing())
        .execute(),
    )
  }

  /** Notes that a project has pushed to a repository. */
  async noteWritten(location: Location, project: string): Promise<void> {
    const name = this.#nameOf(location)
    if (project === DEFAULT_PROJECT) {
      await this.#db.write((query) =>
        query.deleteFrom('catalogue_projects').where('location', '=', name).execute(),
      )
    } else if (!(await this.#isFull())) {
      await this.#db.write((query) =>
        query
          .insertInto('catalogue_projects')
          .values({ location: name, project })
          .onConflict((conflict) => conflict.column('location').doUpdateSet({ project }))
          .execute(),
      )
    }
  }

  #nameOf(location: Location): string {
    return locationName(canonical(this.#names, location))
  }

  async #isFull(): Promise<boolean> {
    const row = await this.#db.query
      .selectFrom('catalogue_projects')
      .select('location')
      .orderBy('location')
      .offset(MAX_REPOSITORIES)
      .limit(1)
      .executeTakeFirst()
    return row !== undefined
  }
}
