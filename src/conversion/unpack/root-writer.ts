import {
  chmodSync,
  chownSync,
  closeSync,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs'
import { decodeLayer } from '../../compression/decode-layer.ts'
import type { TarEntry } from '../../tar/header.ts'
import type { LayerLimits } from '../../tar/layer-limits.ts'
import { encodeName } from '../../tar/names.ts'
import { type TarEvent, TarScanner } from '../../tar/tar-scanner.ts'
import type { RootPlan } from './plan-root.ts'

/** The rights of directories while files are added to them, and of those that no layer describes. */
const WORKING_MODE = 0o700
const DEFAULT_MODE = 0o755
/** The last second that ext4 stores, in the year 2446. */
const MAX_FILE_TIME = 15_032_385_535
const PERMISSION_BITS = 0o7777

type Attributes = Pick<TarEntry, 'mode' | 'uid' | 'gid' | 'mtime'>

/**
 * Writes the files of a planned root. Symlinks come last, so that no file is written through one. The calls are
 * synchronous: there may be hundreds of thousands of small files, and nothing else runs meanwhile.
 */
export class RootWriter {
  readonly #folder: string
  readonly #plan: RootPlan
  readonly #limits: LayerLimits
  /** Only root can give files away. */
  readonly #canChangeOwners = process.getuid?.() === 0
  readonly #directories = new Map<string, Attributes>()
  readonly #symlinks: { readonly path: string; readonly entry: TarEntry }[] = []
  #omittedCount = 0

  /** Creates all directories. @param folder must not exist */
  constructor(folder: string, plan: RootPlan, limits: LayerLimits) {
    this.#folder = folder
    this.#plan = plan
    this.#limits = limits
    for (const path of plan.directories) mkdirSync(this.#locate(path), { mode: WORKING_MODE })
  }

  /**
   * Writes the files of a layer.
   * @param blob the layer as it is stored
   * @throws LayerError; errors of the file system
   */
  async writeLayer(layer: number, blob: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    const planned = this.#plan.layers[layer] ?? new Map<number, readonly string[]>()
    const scanner = new TarScanner(this.#limits)
    let number = -1
    let file: number | undefined
    let current: TarEntry | undefined
    const take = (event: TarEvent) => {
      switch (event.kind) {
        case 'entry':
          number += 1
          current = event.entry
          file = this.#begin(planned.get(number) ?? [], event.entry)
          break
        case 'content':
          if (file !== undefined) writeAll(file, event.bytes)
          break
        case 'end':
          if (file !== undefined && current) this.#end(file, planned.get(number) ?? [], current)
          file = undefined
          break
      }
    }
    try {
      for await (const piece of decodeLayer(blob, { limits: this.#limits })) {
        signal.throwIfAborted()
        for (const event of scanner.push(piece)) take(event)
      }
      for (const event of scanner.end()) take(event)
    } finally {
      if (file !== undefined) closeSync(file)
    }
  }

  /** Creates the symlinks, and sets the attributes of directories. */
  finish(): { readonly omittedCount: number } {
    for (const { path, entry } of this.#symlinks) {
      const at = this.#locate(path)
      symlinkSync(encodeName(entry.linkName ?? ''), at)
      if (this.#canChangeOwners) lchownSync(at, entry.uid, entry.gid)
    }
    // The innermost first: afterwards a directory may be closed to this process.
    for (const path of this.#plan.directories.toReversed()) {
      const at = this.#locate(path)
      const attributes = this.#directories.get(path)
      if (attributes && this.#canChangeOwners) chownSync(at, attributes.uid, attributes.gid)
      chmodSync(at, attributes ? attributes.mode & PERMISSION_BITS : DEFAULT_MODE)
      if (attributes) utimesSync(at, fileTime(attributes.mtime), fileTime(attributes.mtime))
    }
    return { omittedCount: this.#omittedCount }
  }

  /** Starts an entry that gets these paths. Returns the open file if its content is to be written. */
  #begin(paths: readonly string[], entry: TarEntry): number | undefined {
    const [path] = paths
    if (path === undefined) return undefined
    switch (entry.type) {
      case 'reg':
        return openSync(this.#locate(path), 'wx', WORKING_MODE)
      case 'dir':
        this.#directories.set(path, entry)
        break
      case 'symlink':
        for (const link of paths) this.#symlinks.push({ path: link, entry })
        break
      default:
        this.#omittedCount += paths.length
    }
    return undefined
  }

  #end(file: number, [path = '', ...links]: readonly string[], { mode, uid, gid, mtime }: Attributes): void {
    if (this.#canChangeOwners) fchownSync(file, uid, gid)
    fchmodSync(file, mode & PERMISSION_BITS)
    // Programs compare times: Python reads a source again if its compiled file is older.
    futimesSync(file, fileTime(mtime), fileTime(mtime))
    closeSync(file)
    for (const link of links) linkSync(this.#locate(path), this.#locate(link))
  }

  /** Returns the place of a path. Names may be no UTF-8. */
  #locate(path: string): Buffer {
    return path === ''
      ? Buffer.from(this.#folder)
      : Buffer.concat([Buffer.from(`${this.#folder}/`), encodeName(path)])
  }
}

/** The time of a file in seconds, within what file systems store. */
function fileTime({ seconds }: TarEntry['mtime']): number {
  return Math.min(Math.max(seconds, 0), MAX_FILE_TIME)
}

function writeAll(file: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written)
}
