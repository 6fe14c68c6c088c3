import { baseOf, parentOf } from '../tar/names.ts'

/** OCI image-spec 1.1 layer.md, "Whiteouts". */
export const WHITEOUT_PREFIX = '.wh.'
export const OPAQUE_WHITEOUT = '.wh..wh..opq'
/** Names with two prefixes belong to aufs, except for the opaque whiteout. */
const DOUBLE_PREFIX = '.wh..wh.'

/** Whether a cleaned name is that of a whiteout, which names no file itself. */
export function isWhiteout(name: string): boolean {
  return baseOf(name).startsWith(WHITEOUT_PREFIX)
}

/**
 * What a whiteout removes of the layers below: one name in a directory, or without a name the content of the
 * directory.
 */
export type WhiteoutTarget = { readonly directory: string; readonly name?: string }

/** Parses the name of a whiteout. @returns undefined for one that removes nothing */
export function parseWhiteout(whiteout: string): WhiteoutTarget | undefined {
  const directory = parentOf(whiteout)
  const base = baseOf(whiteout)
  if (base === OPAQUE_WHITEOUT) return { directory }
  if (base.startsWith(DOUBLE_PREFIX)) return undefined
  return { directory, name: base.slice(WHITEOUT_PREFIX.length) }
}
