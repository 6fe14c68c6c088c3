const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** Formats a size for people: three digits and a unit. */
export function bytesText(bytes: number): string {
  const unit = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1)
  const value = bytes / 1024 ** unit
  return `${unit === 0 ? Math.round(value) : threeDigits(value)} ${UNITS[unit]}`
}

/** `toPrecision` would write 1023 as 1.02e+3. */
function threeDigits(value: number): string {
  return value >= 999.5 ? String(Math.round(value)) : value.toPrecision(3)
}

/** Formats a duration for people: `0:07`, `12:30` or `3:05:00`. */
export function durationText(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000))
  const pad = (value: number) => String(value).padStart(2, '0')
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor(seconds / 60) % 60
  return `${hours > 0 ? `${hours}:${pad(minutes)}` : minutes}:${pad(seconds % 60)}`
}

/** Formats a share of 1 as a percentage. Only what is complete has 100 %. */
export function percentText(share: number): string {
  return `${share >= 1 ? 100 : Math.min(99, Math.floor(Math.max(0, share) * 100))}%`
}

/** `1 layer`, `2 layers`; `plural` is needed if it is not the singular with an s. */
export function countText(count: number, singular: string, plural = `${singular}s`): string {
  return `${count} ${count === 1 ? singular : plural}`
}
