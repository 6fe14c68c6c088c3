import type { Reference } from '../../oci/reference.ts'
import { CompiledGlob } from '../../records/glob/compiled-glob.ts'
import type { EventLoopYielder } from '../event-loop-yielder.ts'
import type { Rule } from './rule.ts'

/**
 * Matches images against a rule. Each glob is compiled when it is first needed, to an automaton that matches
 * in linear time and with bounded steps. Libraries that translate globs to regular expressions backtrack:
 * picomatch 4 takes 0.1 s for three stars and 8 s for four if the name has 515 characters.
 */
export class RuleMatcher {
  readonly #enabled: boolean
  readonly #source: GlobList
  readonly #tags: GlobList
  readonly #exceptTags: GlobList

  constructor({ enabled, source, tags, exceptTags }: Rule) {
    this.#enabled = enabled
    this.#source = new GlobList([source])
    this.#tags = new GlobList(tags)
    this.#exceptTags = new GlobList(exceptTags)
  }

  /** The approximate memory of the compiled globs, in bytes. */
  get memoryBytes(): number {
    return this.#source.memoryBytes + this.#tags.memoryBytes + this.#exceptTags.memoryBytes
  }

  /** @throws RecordError GLOBS_TOO_COSTLY; the abort reason of `yielder` */
  async matches({ host, repository, tag = '' }: Reference, yielder: EventLoopYielder): Promise<boolean> {
    return (
      this.#enabled &&
      (await this.#source.matchesAny(`${host}/${repository}`, yielder)) &&
      (await this.#tags.matchesAny(tag, yielder)) &&
      !(await this.#exceptTags.matchesAny(tag, yielder))
    )
  }
}

class GlobList {
  readonly #patterns: readonly string[]
  readonly #compiled: CompiledGlob[] = []

  constructor(patterns: readonly string[]) {
    this.#patterns = patterns
  }

  get memoryBytes(): number {
    return this.#compiled.reduce((sum, glob) => sum + glob.estimatedBytes, 0)
  }

  async matchesAny(text: string, yielder: EventLoopYielder): Promise<boolean> {
    for (const [i, pattern] of this.#patterns.entries()) {
      await yielder.yieldIfDue()
      const glob = this.#compiled[i] ?? new CompiledGlob(pattern)
      this.#compiled[i] = glob
      if (glob.matches(text)) return true
    }
    return false
  }
}
