import type { RegistryClient } from '../registry/client.ts'
import { RegistryError } from '../registry/errors.ts'
import { openReference, readImages } from './image.ts'

/**
 * Checks, before work is accepted, that an image has the platforms asked for. A registry that does not answer well is
 * no reason to refuse: the work will tell, or be tried again.
 * @throws ConversionError PLATFORM_NOT_FOUND, NOT_AN_IMAGE, INVALID_IMAGE; DocumentError
 */
export async function checkPlatforms(
  registries: RegistryClient,
  source: string,
  platforms: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  try {
    await readImages(await openReference(registries, source, signal), platforms, signal)
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
  }
}
