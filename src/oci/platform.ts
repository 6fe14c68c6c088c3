import type { Platform } from './documents.ts'

/** A platform of which parts may be unknown. */
export type PartialPlatform = Pick<Platform, 'os' | 'architecture' | 'variant'>

/** Formats a platform as `os/architecture[/variant]`, the form of `--platform`. */
export function formatPlatform({ os, architecture, variant }: PartialPlatform): string {
  return [os || 'unknown', architecture || 'unknown', variant].filter(Boolean).join('/')
}

/**
 * Completes the platform of an image in an index by that in the image's config. Without an operating system
 * it is Linux, as docker assumes.
 */
export function completePlatform(
  listed: PartialPlatform | null | undefined,
  config: PartialPlatform,
): PartialPlatform {
  const os = listed?.os || config.os || 'linux'
  const architecture = listed?.architecture || config.architecture
  const hasSameArchitecture = architecture === config.architecture
  return { os, architecture, variant: listed?.variant || (hasSameArchitecture ? config.variant : undefined) }
}

/**
 * Whether an image that an index lists with this platform may match the requested one, depending on its
 * config.
 */
export function mayMatchPlatform(listed: PartialPlatform | null | undefined, requested: string): boolean {
  const [os = '', architecture = '', variant] = requested.split('/')
  return matchesPlatform(
    {
      os: listed?.os || os,
      architecture: listed?.architecture || architecture,
      variant: listed?.variant || variant,
    },
    requested,
  )
}

/**
 * Returns the variant in its normal form, which depends on the architecture's default (containerd's
 * platforms.Normalize).
 */
function normalizeVariant(architecture: string, variant: string | null | undefined): string | undefined {
  if (architecture === 'arm64' && variant === 'v8') return undefined
  if (architecture === 'arm' && !variant) return 'v7'
  if (architecture === 'amd64' && variant === 'v1') return undefined
  return variant || undefined
}

/** Whether a platform matches the requested `os/architecture[/variant]`; without a variant, any matches. */
export function matchesPlatform(platform: PartialPlatform, requested: string): boolean {
  const [os, architecture = '', variant] = requested.split('/')
  if (platform.os !== os || platform.architecture !== architecture) return false
  if (variant === undefined) return true
  return normalizeVariant(architecture, variant) === normalizeVariant(architecture, platform.variant)
}

/** Whether a text has the form `os/architecture[/variant]`. */
export function isPlatformText(text: string): boolean {
  return /^[a-z0-9]+\/[a-z0-9_]+(\/[a-z0-9._]+)?$/.test(text)
}
