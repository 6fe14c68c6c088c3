import type { Transaction } from 'kysely'
import type { Tables } from '../../db/tables.ts'
import { type Candidate, type ClaimableJobs, surveyProjects } from './survey-projects.ts'

/**
 * Whose turn it is, as one worker process sees it. The projects with queued jobs form a ring in the order of their
 * names. The next job is one of the project that has the fewest running jobs; among several, of the first one after
 * the project that had the last turn. So no project waits for more than one job of each other, however many jobs
 * they have and whatever their priorities.
 */
export class ProjectTurns {
  #last: string
  #only: string | undefined
  /** How many lanes of this process claim a job of a project at the moment. */
  readonly #claiming = new Map<string, number>()

  /** @param last the project that had the last turn. Default: any, so that none is the first after every restart */
  constructor(last = Math.random().toString(36).slice(2)) {
    this.#last = last
  }

  /** The only project that had queued jobs when they were last surveyed, if it was the only one. */
  get only(): string | undefined {
    return this.#only
  }

  /**
   * Chooses the project whose job is the next one; undefined if no project has a job that can be claimed. The jobs
   * that other lanes are claiming count as running. {@link release} has to be called once the claim has ended.
   * @param excluded projects whose jobs other workers are claiming at the moment
   */
  async choose(
    transaction: Transaction<Tables>,
    claimable: ClaimableJobs,
    excluded: readonly string[],
  ): Promise<Candidate | undefined> {
    const last = this.#last
    const arc = { excluded, width: this.#claiming.size + 1 }
    const ahead = await surveyProjects(transaction, claimable, { ...arc, after: last })
    const isDecided = ahead.some((candidate) => candidate.isClaimable && this.#load(candidate) === 0)
    const behind = isDecided
      ? []
      : await surveyProjects(transaction, claimable, { ...arc, after: '', through: last })
    const [first] = behind
    this.#only =
      ahead.length === 0 && behind.length === 1 && first?.project === last ? first.project : undefined
    const candidates = [...ahead, ...behind].filter(
      ({ isClaimable, running, quota }) => isClaimable && running < (quota ?? Number.POSITIVE_INFINITY),
    )
    const fewest = Math.min(...candidates.map((candidate) => this.#load(candidate)))
    const chosen = candidates.find((candidate) => this.#load(candidate) === fewest)
    if (chosen) this.#claiming.set(chosen.project, (this.#claiming.get(chosen.project) ?? 0) + 1)
    return chosen
  }

  /** Notes that a project had its turn. */
  pass(project: string): void {
    this.#last = project
  }

  /** Notes that a claim of a chosen project has ended. */
  release(project: string): void {
    const lanes = (this.#claiming.get(project) ?? 0) - 1
    if (lanes > 0) this.#claiming.set(project, lanes)
    else this.#claiming.delete(project)
  }

  #load({ project, running }: Candidate): number {
    return running + (this.#claiming.get(project) ?? 0)
  }
}
