import type { Reference } from '../../oci/reference.ts'
import { CompiledGlob } from '../../records/glob/compiled-glob.ts'
import type { Pace } from '../pace.ts'
import type { Rule } from './rule.ts'

/** Says whether a rule is about an image. Its globs are compiled once, each when it is needed first. */
export class RuleMatcher {
  readonly #enabled: boolean
  readonly #source: Globs
  readonly #tags: Globs
  readonly #exceptTags: Globs

  constructor({ enabled, source, tags, exceptTags }: Rule) {
    this.#enabled = enabled
    this.#source = new Globs([source])
    this.#tags = new Globs(tags)
    this.#exceptTags = new Globs(exceptTags)
  }

  /** About as many bytes of memory. */
  get weight(): number {
    return this.#source.weight + this.#tags.weight + this.#exceptTags.weight
  }

  /** @throws RecordError GLOBS_TOO_COSTLY; what `pace` throws */
  async matches({ host, repository, tag = '' }: Reference, pace: Pace): Promise<boolean> {
    return (
      this.#enabled &&
      (await this.#source.some(`${host}/${repository}`, pace)) &&
      (await this.#tags.some(tag, pace)) &&
      !(await this.#exceptTags.some(tag, pace))
    )
  }
}

class Globs {
  readonly #patterns: readonly string[]
  readonly #compiled: CompiledGlob[] = []

  constructor(patterns: readonly string[]) {
    this.#patterns = patterns
  }

  get weight(): number {
    return this.#compiled.reduce((sum, glob) => sum + glob.weight, 0)
  }

  /** Whether one of them matches. */
  async some(text: string, pace: Pace): Promise<boolean> {
    for (const [i, pattern] of this.#patterns.entries()) {
      await pace.breathe()
      const glob = this.#compiled[i] ?? new CompiledGlob(pattern)
      this.#compiled[i] = glob
      if (glob.matches(text)) return true
    }
    return false
  }
}
