import { type LineFormat, parsePath } from './parsed-line.ts'

/** The priority list of overlaybd: one literal path per line, without globs and comments. */
export const overlaybdList: LineFormat = {
  isLog: false,
  createParser: () => (text) => parsePath(text.trim()),
}
