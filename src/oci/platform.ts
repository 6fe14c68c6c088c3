import type { Platform } from './documents.ts'

/** What is known of a platform. */
export type SomePlatform = Pick<Platform, 'os' | 'architecture' | 'variant'>

/** A platform as text: `os/architecture[/variant]`, the form of `--platform`. */
export function formatPlatform({ os, architecture, variant }: SomePlatform): string {
  return [os || 'unknown', architecture || 'unknown', variant].filter(Boolean).join('/')
}

/**
 * The platform of an image as an index lists it, completed by what its config says. An image that names no system is one
 * for Linux, as docker takes it.
 */
export function completePlatform(listed: SomePlatform | null | undefined, own: SomePlatform): SomePlatform {
  const os = listed?.os || own.os || 'linux'
  const architecture = listed?.architecture || own.architecture
  const isSame = architecture === own.architecture
  return { os, architecture, variant: listed?.variant || (isSame ? own.variant : undefined) }
}

/** Whether an image that an index lists with this platform may be the one asked for, whatever its config says. */
export function mayMatchPlatform(listed: SomePlatform | null | undefined, asked: string): boolean {
  const [os, architecture, variant] = asked.split('/')
  const whole = { os: os ?? '', architecture: architecture ?? '', variant }
  return matchesPlatform(
    {
      os: listed?.os || whole.os,
      architecture: listed?.architecture || whole.architecture,
      variant: listed?.variant || whole.variant,
    },
    asked,
  )
}

/** The variant that is meant when none is written (containerd's platforms.Normalize). */
function normalVariant(architecture: string, variant: string | null | undefined): string | undefined {
  if (architecture === 'arm64' && variant === 'v8') return undefined
  if (architecture === 'arm' && !variant) return 'v7'
  if (architecture === 'amd64' && variant === 'v1') return undefined
  return variant || undefined
}

/** Whether an image's platform is the one asked for as `os/architecture[/variant]`; no variant asked means any. */
export function matchesPlatform(platform: SomePlatform, asked: string): boolean {
  const [os, architecture = '', variant] = asked.split('/')
  if (platform.os !== os || platform.architecture !== architecture) return false
  if (variant === undefined) return true
  return normalVariant(architecture, variant) === normalVariant(architecture, platform.variant)
}

/** Whether a text has the form `os/architecture[/variant]`. */
export function isPlatformText(text: string): boolean {
  return /^[a-z0-9]+\/[a-z0-9_]+(\/[a-z0-9._]+)?$/.test(text)
}
