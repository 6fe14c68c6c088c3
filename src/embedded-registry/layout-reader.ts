import { type FileHandle, open } from 'node:fs/promises'
import { LRUCache } from 'lru-cache'
import { ifExists } from './errors.ts'
import { type Layout, parseLayout } from './layout.ts'

const MAX_CACHED_LAYOUTS = 256

/** Reads `index.json` files, and parses a file again only if it has changed. */
export class LayoutReader {
  readonly #layouts = new LRUCache<string, { readonly version: string; readonly layout: Layout }>({
    max: MAX_CACHED_LAYOUTS,
  })

  /** Reads the layout in a file; undefined if the file does not exist. @throws DocumentError */
  async read(path: string): Promise<Layout | undefined> {
    const handle = await ifExists(open(path, 'r'))
    if (handle === undefined) return undefined
    try {
      const version = await versionOf(handle)
      const cached = this.#layouts.get(path)
      if (cached?.version === version) return cached.layout
      this.#layouts.delete(path)
      const layout = await parseLayout(await handle.readFile(), path)
      this.#layouts.set(path, { version, layout })
      return layout
    } finally {
      await handle.close()
    }
  }

  /** Remembers what was just written to a file, so that it is not parsed again. */
  async remember(path: string, layout: Layout): Promise<void> {
    const handle = await open(path, 'r')
    try {
      this.#layouts.set(path, { version: await versionOf(handle), layout })
    } finally {
      await handle.close()
    }
  }
}

/** Tells a file from the one that replaces it. */
async function versionOf(file: FileHandle): Promise<string> {
  const { ino, mtimeNs, size } = await file.stat({ bigint: true })
  return `${ino} ${mtimeNs} ${size}`
}
