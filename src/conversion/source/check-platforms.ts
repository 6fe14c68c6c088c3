import type { RegistryClient } from '../../registry/client.ts'
import { RegistryError } from '../../registry/errors.ts'
import { type RequestBounds, RequestTally } from '../request-bounds.ts'
import { ImageReader } from './image-reader.ts'

/**
 * Checks that an image has the requested platforms, before a job is accepted. A registry failure does not
 * reject the request: the job reads the image again and retries.
 * @throws ConversionError PLATFORM_NOT_FOUND, NOT_AN_IMAGE, UNSUPPORTED_LAYER, INVALID_IMAGE, LIMIT_EXCEEDED;
 * DocumentError
 */
export async function checkPlatforms(
  reference: string,
  platforms: readonly string[],
  options: {
    readonly registries: RegistryClient
    readonly bounds: RequestBounds
    readonly signal: AbortSignal
  },
): Promise<void> {
  const { registries, bounds, signal } = options
  const reader = new ImageReader({ registries, tally: new RequestTally(bounds), signal })
  try {
    await reader.read(await reader.open(reference), platforms)
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
  }
}
