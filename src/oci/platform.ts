import type { Platform } from './documents.ts'

/** A platform as text: `os/architecture[/variant]`, the form of `--platform`. */
export function formatPlatform(platform: Pick<Platform, 'os' | 'architecture' | 'variant'>): string {
  return [platform.os, platform.architecture, platform.variant].filter(Boolean).join('/')
}

/** The variant that is meant when none is written (containerd's platforms.Normalize). */
function normalVariant(architecture: string, variant: string | undefined): string | undefined {
  if (architecture === 'arm64' && variant === 'v8') return undefined
  if (architecture === 'arm' && !variant) return 'v7'
  if (architecture === 'amd64' && variant === 'v1') return undefined
  return variant || undefined
}

/** Whether an image's platform is the one asked for as `os/architecture[/variant]`; no variant asked means any. */
export function matchesPlatform(
  platform: Pick<Platform, 'os' | 'architecture' | 'variant'>,
  asked: string,
): boolean {
  const [os, architecture = '', variant] = asked.split('/')
  if (platform.os !== os || platform.architecture !== architecture) return false
  if (variant === undefined) return true
  return normalVariant(architecture, variant) === normalVariant(architecture, platform.variant)
}

/** Whether a text has the form `os/architecture[/variant]`. */
export function isPlatformText(text: string): boolean {
  return /^[a-z0-9]+\/[a-z0-9_]+(\/[a-z0-9._]+)?$/.test(text)
}
