/** Who sends a request, and what it may do with the repositories of this registry. */
export type Sender = {
  /** The project that the sender's pushes are counted for. */
  readonly project: string
  /** Tells senders apart: an upload belongs to the one that opened it. */
  readonly id: string
  mayPull(repository: string): boolean
  mayPush(repository: string): boolean
  /**
   * Returns the challenge for a credential that may do what these scopes say, if the sender may have one. Otherwise
   * the request is denied for good.
   * @param scope as in Docker's token authentication, such as `repository:team/app:pull`
   */
  challenge(scope: string): string | undefined
}

/** The project of repositories that say nothing else. */
export const DEFAULT_PROJECT = 'default'

/** The sender of every request to a registry that is not guarded. */
export const ANYONE: Sender = {
  project: DEFAULT_PROJECT,
  id: '',
  mayPull: () => true,
  mayPush: () => true,
  challenge: () => undefined,
}
