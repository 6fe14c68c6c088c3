import { projectAccess, repositoryRule } from '../../access/registries/project-rule.ts'
import type { RepositoryRule } from '../../registry/repository-rule.ts'
import type { EventLoopYielder } from '../event-loop-yielder.ts'
import type { Services } from '../services.ts'
import type { PushOutcome } from './push-outcome.ts'

/** Reported pushes by the projects that may read them: the rules of a project are matched against no others. */
export class ReadablePushes {
  readonly #outcomes: readonly PushOutcome[]
  readonly #services: Pick<Services, 'projects' | 'names'>
  readonly #yielder: EventLoopYielder
  readonly #known = new Map<string, readonly PushOutcome[]>()

  constructor(
    outcomes: readonly PushOutcome[],
    services: Pick<Services, 'projects' | 'names'>,
    yielder: EventLoopYielder,
  ) {
    this.#outcomes = outcomes
    this.#services = services
    this.#yielder = yielder
  }

  /** The pushes that a project may read; none if it does not exist any more. */
  async of(project: string): Promise<readonly PushOutcome[]> {
    const known = this.#known.get(project)
    if (known) return known
    const allows = await projectRule(project, this.#services)
    const readable: PushOutcome[] = []
    for (const outcome of allows ? this.#outcomes : []) {
      await this.#yielder.yieldIfDue()
      if (outcome.image && allows?.(outcome.image, 'read')) readable.push(outcome)
    }
    this.#known.set(project, readable)
    return readable
  }
}

/** Returns what a project may use; undefined if it does not exist. */
async function projectRule(
  name: string,
  { projects, names }: Pick<Services, 'projects' | 'names'>,
): Promise<RepositoryRule | undefined> {
  const project = await projects.get(name)
  return project && repositoryRule(projectAccess(project), names)
}
