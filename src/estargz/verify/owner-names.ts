export type OwnerNames = { userName?: string; groupName?: string }

/** Completes omitted owner names with the last name of the same id, as readers of a table of contents do. */
export class OwnerNameResolver {
  readonly #users = new Map<number, string>()
  readonly #groups = new Map<number, string>()

  /** Resolves the names of the next entry's owners. */
  resolve(uid = 0, uname?: string, gid = 0, gname?: string): OwnerNames {
    const userName = uname || this.#users.get(uid)
    const groupName = gname || this.#groups.get(gid)
    if (userName !== undefined) this.#users.set(uid, userName)
    if (groupName !== undefined) this.#groups.set(gid, groupName)
    return { ...(userName !== undefined && { userName }), ...(groupName !== undefined && { groupName }) }
  }
}
