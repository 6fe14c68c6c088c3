import { foundPath, type LineFormat } from './parsed-line.ts'

/** overlaybd's priority list: a path a line, taken as it stands, without globs and comments. */
export const overlaybdList: LineFormat = { isLog: false, reader: () => (text) => foundPath(text.trim()) }
