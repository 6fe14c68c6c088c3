import type { RegistryClient } from '../../registry/client.ts'
import { RegistryError } from '../../registry/errors.ts'
import { type RequestBounds, RequestTally } from '../request-bounds.ts'
import { openReference, readImages } from './images.ts'

/**
 * Checks, before work is accepted, that an image has the platforms asked for. A registry that does not answer well is
 * no reason to refuse: the work will tell, or be tried again.
 * @throws ConversionError PLATFORM_NOT_FOUND, NOT_AN_IMAGE, UNSUPPORTED_LAYER, INVALID_IMAGE, LIMIT_EXCEEDED; DocumentError
 */
export async function checkPlatforms(
  registries: RegistryClient,
  source: string,
  platforms: readonly string[],
  bounds: RequestBounds,
  signal: AbortSignal,
): Promise<void> {
  try {
    const opened = await openReference(registries, source, signal)
    await readImages(opened, platforms, new RequestTally(bounds), signal)
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
  }
}
