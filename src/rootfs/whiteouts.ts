import { baseOf, parentOf } from '../tar/names.ts'

/** OCI image-spec 1.1 layer.md, "Whiteouts". */
export const WHITEOUT_PREFIX = '.wh.'
export const OPAQUE_WHITEOUT = '.wh..wh..opq'
/** Names with two marks are aufs's own, but for the one above. */
const DOUBLE_WHITEOUT = '.wh..wh.'

/** Whether a cleaned name takes away another one, or what is in a directory. It names no file itself. */
export function isWhiteout(name: string): boolean {
  return baseOf(name).startsWith(WHITEOUT_PREFIX)
}

/** What a whiteout takes away of the layers below: one name in a directory, or all that is in it where no name is given. */
export type WhiteoutTarget = { readonly directory: string; readonly name?: string }

/** @returns undefined for a whiteout that takes nothing away */
export function whiteoutTarget(whiteout: string): WhiteoutTarget | undefined {
  const directory = parentOf(whiteout)
  const base = baseOf(whiteout)
  if (base === OPAQUE_WHITEOUT) return { directory }
  if (base.startsWith(DOUBLE_WHITEOUT)) return undefined
  return { directory, name: base.slice(WHITEOUT_PREFIX.length) }
}
