/** Names that the eStargz format reserves at the root of a layer. */
export const TOC_NAME = 'stargz.index.json'
export const PREFETCH_LANDMARK = '.prefetch.landmark'
export const NO_PREFETCH_LANDMARK = '.no.prefetch.landmark'

/** Whether a cleaned name belongs to the eStargz format, not to the file system. */
export function isReservedName(name: string): boolean {
  return name === TOC_NAME || name === PREFETCH_LANDMARK || name === NO_PREFETCH_LANDMARK
}
