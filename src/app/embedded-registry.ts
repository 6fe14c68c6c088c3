import { join } from 'node:path'
import type { ProjectDirectory } from '../access/projects/project-directory.ts'
import type { ChangeListener, PushListener, TagPush } from '../embedded-registry/exchange.ts'
import { createEmbeddedRegistry, type EmbeddedRegistry } from '../embedded-registry/plugin.ts'
import { BASIC_CHALLENGE, tokenChallenge } from '../http/access/registry-challenge.ts'
import { registryGuard } from '../http/access/registry-guard.ts'
import type { Push } from '../http/pushes/rule-engine.ts'
import { isDigest } from '../oci/digest.ts'
import type { HostNames } from '../oci/host-names.ts'
import { formatReference } from '../oci/reference.ts'
import { ENTRIES_ANNOTATION } from '../records/images/pack-record-image.ts'
import type { Config } from './config/config.ts'

/** Opens the embedded registry, guarded by the callers and projects of this broker; undefined if it uses another. */
export async function openEmbeddedRegistry(
  config: Config,
  options: {
    readonly names: HostNames
    readonly projects: Pick<ProjectDirectory, 'get'>
    /** Whether clients get tokens. */
    readonly hasTokens: boolean
    readonly onChange: ChangeListener
    readonly onPush: PushListener
  },
): Promise<EmbeddedRegistry | undefined> {
  if (config.backingRegistry) return undefined
  const { hasTokens, onChange, onPush, ...guarded } = options
  const challenge = hasTokens ? tokenChallenge(config.publicUrl) : BASIC_CHALLENGE
  return createEmbeddedRegistry({
    root: join(config.dataFolder, 'registry'),
    diskReserveBytes: config.diskReserve,
    onChange,
    onPush,
    ...registryGuard({ ...guarded, challenge }),
  })
}

/**
 * Returns the push that rules may convert; undefined for a record image, which is never converted.
 * @param host the preferred name of the registry
 */
export function convertiblePush(
  host: string,
  { repository, tag, digest, annotations }: TagPush,
): Push | undefined {
  if (annotations[ENTRIES_ANNOTATION] !== undefined) return undefined
  return { image: formatReference({ host, repository, tag }), ...(isDigest(digest) && { digest }) }
}
