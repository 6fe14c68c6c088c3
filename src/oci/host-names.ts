/**
 * The names of one registry: those of the broker's own, which is known by its public name, by the address
 * that it listens on, and by the names of this machine. Any other host has one name, its own.
 */
export class HostNames {
  /** The preferred name first; empty if there is no such registry. */
  readonly hosts: readonly string[]

  constructor(hosts: readonly string[]) {
    this.hosts = hosts
  }

  /** Returns the preferred name of a host. */
  preferred(host: string): string {
    return this.all(host)[0] ?? host
  }

  /** Returns all names of a host, the preferred one first. */
  all(host: string): readonly string[] {
    return this.hosts.includes(host) ? this.hosts : [host]
  }

  /**
   * Returns the preferred name of an image or a repository. A text that does not begin with a host, such as a
   * digest, stays as it is.
   * @param reference in its canonical form, such as `docker.io/library/alpine`
   */
  preferredReference(reference: string): string {
    return this.allReferences(reference)[0] ?? reference
  }

  /** Returns all names of an image or a repository, the preferred one first. */
  allReferences(reference: string): readonly string[] {
    const slash = reference.indexOf('/')
    const host = reference.slice(0, Math.max(0, slash))
    return this.all(host).map((name) => `${name}${reference.slice(host.length)}`)
  }
}
