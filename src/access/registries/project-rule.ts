import type { HostNames } from '../../oci/host-names.ts'
import type { RepositoryRule } from '../../registry/repository-rule.ts'
import type { RepositoryAccess } from '../caller.ts'
import type { Project } from '../projects/project.ts'

/**
 * Returns what patterns allow, in every registry. Whoever may write a repository may also read it, as registries grant
 * it: a conversion and `docker push` look at their target before they push.
 * @param names the names of the broker's own registry
 */
export function repositoryRule({ read, write }: RepositoryAccess, names: HostNames): RepositoryRule {
  return (location, use) => {
    const isWritable = write.every((patterns) => patterns.allows(location, names))
    return isWritable || (use === 'read' && read.every((patterns) => patterns.allows(location, names)))
  }
}

/** What the patterns of a project allow to whatever works for it. */
export function projectAccess({
  readable,
  writable,
}: Pick<Project, 'readable' | 'writable'>): RepositoryAccess {
  return { read: [readable], write: [writable] }
}
