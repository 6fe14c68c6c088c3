/** There is no project with this name. */
export class ProjectNotFoundError extends Error {
  override readonly name = 'ProjectNotFoundError'
  readonly code = 'PROJECT_NOT_FOUND'
  constructor(project: string) {
    super(`project ${project} does not exist`)
  }
}

/** There are as many projects as the broker can have. */
export class TooManyProjectsError extends Error {
  override readonly name = 'TooManyProjectsError'
  readonly code = 'LIMIT_EXCEEDED'
}

/** A project cannot be removed while tokens or jobs need it. */
export class ProjectInUseError extends Error {
  override readonly name = 'ProjectInUseError'
  readonly code = 'PROJECT_IN_USE'
}
