import type { Digest } from '../../oci/digest.ts'
import type { RegistryHost } from '../host.ts'
import { pauseBeforeRetry, type RetryPolicy } from '../transport/retry.ts'
import { resolveManifest } from './manifests.ts'

/**
 * Looks at what was just put. With the pauses between them, which double from 0.3 seconds, they take about nine seconds:
 * replicas and caches of registries were seen to show for some seconds what was there before.
 */
const LOOKS = 6

/**
 * Looks until what was put shows, or for some seconds.
 * @param isLate whether what was found is not what was put
 */
export async function readBack<Found>(
  look: () => Promise<Found>,
  isLate: (found: Found) => boolean,
  retry: RetryPolicy,
  signal: AbortSignal | undefined,
): Promise<{ readonly found: Found; readonly looks: number; readonly seconds: number }> {
  const begun = performance.now()
  for (let looks = 1; ; looks++) {
    const found = await look()
    if (!isLate(found) || looks >= LOOKS) {
      return { found, looks, seconds: Math.ceil((performance.now() - begun) / 1000) }
    }
    await pauseBeforeRetry(undefined, looks, retry, signal)
  }
}

/** What a tag was seen to stand for after it was put. */
export type TagReading = {
  /** What it stands for in the end; undefined: it is not there. */
  readonly now: Digest | undefined
  /** All that was seen, in words, such as `it was gone (2 times), then stood for sha256:… (4 times), in 9 seconds`. */
  readonly said: string
}

/** Reads a tag back until it stands for a digest, or for some seconds. @throws RegistryError */
export async function readTagBack(
  registry: RegistryHost,
  repository: string,
  tag: string,
  wanted: Digest,
  signal: AbortSignal | undefined,
): Promise<TagReading> {
  const seen: (Digest | undefined)[] = []
  const look = async () => {
    const digest = (await resolveManifest(registry, repository, tag, signal))?.digest
    seen.push(digest)
    return digest
  }
  const isLate = (digest: Digest | undefined) => digest !== wanted
  const { found, seconds } = await readBack(look, isLate, registry.retry, signal)
  return { now: found, said: `it ${inWords(seen)}, in ${seconds} seconds` }
}

function inWords(seen: readonly (Digest | undefined)[]): string {
  const runs: { digest: Digest | undefined; times: number }[] = []
  for (const digest of seen) {
    const last = runs.at(-1)
    if (last !== undefined && last.digest === digest) last.times += 1
    else runs.push({ digest, times: 1 })
  }
  const told = runs.map(({ digest, times }) => {
    const state = digest === undefined ? 'was gone' : `stood for ${digest}`
    return times === 1 ? state : `${state} (${times} times)`
  })
  return told.join(', then ')
}
