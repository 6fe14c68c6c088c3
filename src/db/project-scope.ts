import type { ExpressionBuilder, ExpressionWrapper, SqlBool } from 'kysely'

/** The project of everything that was stored before there were projects, and of callers without another one. */
export const DEFAULT_PROJECT = 'default'

/**
 * Returns a key of a project as it is stored, so that two projects may have the same one. Those of the default project
 * are stored as they are, like those of before there were projects. Neither the names of projects nor the keys that
 * clients choose contain a space.
 */
export function projectKey(project: string, key: string): string {
  return project === DEFAULT_PROJECT ? key : `${project} ${key}`
}

/** Which project's rows an operation sees, and to which project the rows that it creates belong. */
export class ProjectScope {
  /** The project that new rows belong to. */
  readonly project: string
  /** Whether the rows of every project are visible, not only those of `project`. */
  readonly seesAll: boolean

  private constructor(project: string, seesAll: boolean) {
    this.project = project
    this.seesAll = seesAll
  }

  /** The broker's own work, such as that of workers: sees everything. */
  static readonly ALL = new ProjectScope(DEFAULT_PROJECT, true)

  /** Sees one project only. */
  static of(project: string): ProjectScope {
    return new ProjectScope(project, false)
  }

  /** Whether rows of this project are visible. */
  includes(project: string): boolean {
    return this.seesAll || this.project === project
  }

  /**
   * A condition for queries of tables that have a column `project`. `column` names it where several tables are
   * joined.
   */
  condition(column = 'project') {
    // The column depends on the tables of the query, which the caller knows.
    // biome-ignore lint/suspicious/noExplicitAny: see above
    return (builder: ExpressionBuilder<any, any>): ExpressionWrapper<any, any, SqlBool> =>
      this.seesAll ? builder.lit(true) : builder(column, '=', this.project)
  }
}

/** A store that is used within the scope of a caller. */
export interface Scoped<Store> {
  in(scope: ProjectScope): Store
}
