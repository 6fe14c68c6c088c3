import type { Digest } from '../../oci/digest.ts'
import type { RepositorySession } from '../repository-session.ts'
import { waitBeforeRetry } from '../transport/retry.ts'
import { resolveManifest } from './get-manifest.ts'

/**
 * Reads after a write. The delays between them double from 0.3 seconds, about nine seconds in total: replicas
 * and caches of registries were observed to return the previous state for some seconds.
 */
const MAX_READS = 6

/** The last state that was read, the number of reads, and the time that they took, rounded up. */
export type ReadBack<State> = { readonly state: State; readonly reads: number; readonly seconds: number }

/**
 * Reads until the written state is visible, or at most `MAX_READS` times.
 * @param isStale whether it is not visible
 */
export async function readBack<State>(
  session: RepositorySession,
  read: () => Promise<State>,
  isStale: (state: State) => boolean,
): Promise<ReadBack<State>> {
  const startedAt = performance.now()
  for (let reads = 1; ; reads++) {
    const state = await read()
    if (!isStale(state) || reads >= MAX_READS) {
      return { state, reads, seconds: Math.ceil((performance.now() - startedAt) / 1000) }
    }
    await waitBeforeRetry(undefined, reads, session.registry.retry, session.signal)
  }
}

/** The digests that a tag pointed to after it was pushed. */
export type TagReadBack = {
  /** The last digest; undefined if the tag did not exist. */
  readonly digest: Digest | undefined
  /**
   * All of them as text, such as `it did not exist (2 times), then pointed to sha256:… (4 times), in 9
   * seconds`.
   */
  readonly history: string
}

/** Resolves a tag until it has the expected digest, or for about nine seconds. @throws RegistryError */
export async function readTagBack(
  session: RepositorySession,
  tag: string,
  expected: Digest,
): Promise<TagReadBack> {
  const digests: (Digest | undefined)[] = []
  const read = async () => {
    const digest = (await resolveManifest(session, tag))?.digest
    digests.push(digest)
    return digest
  }
  const { state, seconds } = await readBack(session, read, (digest) => digest !== expected)
  return { digest: state, history: `it ${formatHistory(digests)}, in ${seconds} seconds` }
}

function formatHistory(digests: readonly (Digest | undefined)[]): string {
  const runs: { digest: Digest | undefined; times: number }[] = []
  for (const digest of digests) {
    const last = runs.at(-1)
    if (last !== undefined && last.digest === digest) last.times += 1
    else runs.push({ digest, times: 1 })
  }
  const phrases = runs.map(({ digest, times }) => {
    const state = digest === undefined ? 'did not exist' : `pointed to ${digest}`
    return times === 1 ? state : `${state} (${times} times)`
  })
  return phrases.join(', then ')
}
