import { type FileHandle, open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { KeyedMutex } from '../concurrency/keyed-mutex.ts'
import { ALGORITHMS, type ContentDigest, contentPath } from './content-digest.ts'
import { linkDurably, makeFolder, moveDurably, writeDurably } from './durable.ts'
import { failedWith } from './errors.ts'
import { folderName, repositoryOf } from './folder-name.ts'
import {
  EMPTY_LAYOUT,
  formatLayout,
  LAYOUT_MARK,
  type Layout,
  LayoutReader,
  type ManifestEntry,
} from './layout.ts'

/** A layout being changed. */
export type LayoutDraft = { manifests: Map<ContentDigest, ManifestEntry>; tags: Map<string, ContentDigest> }

/**
 * The repositories on disk. Each is an OCI image layout of its own, in one folder:
 *
 *     <root>/repositories/team+app/oci-layout
 *                                  index.json           manifests and tags: the only thing that says so
 *                                  blobs/sha256/<hex>   layers, configs and manifests
 *
 * so `skopeo copy oci:<root>/repositories/team+app:v1 …` reads what was pushed to `team/app:v1`, with no
 * server. A blob that is mounted into another repository is a hard link:
 * it takes no room, each repository shows its own blobs only, and the bytes go with the last link, so
 * nothing has to be counted or collected.
 *
 * A name appears only when its bytes are whole, verified and on disk; `index.json` is replaced by a rename.
 * After a crash a repository is as it was before a push or after it; what an interrupted push left is
 * a blob nobody names, or a temporary file. One process writes to a root.
 */
export class Repositories {
  readonly #folder: string
  readonly #temporary: string
  readonly #locks = new KeyedMutex()
  readonly #layouts = new LayoutReader()

  /** @param folder holds the repositories; @param temporary is on the same file system */
  constructor(folder: string, temporary: string) {
    this.#folder = folder
    this.#temporary = temporary
  }

  /** Names of all repositories, sorted. */
  async names(): Promise<string[]> {
    const names: string[] = []
    for (const entry of await readdir(this.#folder, { withFileTypes: true })) {
      if (entry.isDirectory()) names.push(repositoryOf(entry.name))
    }
    return names.sort()
  }

  /** The manifests and tags; undefined when there is no such repository. */
  layout(repository: string): Promise<Layout | undefined> {
    return this.#layouts.read(join(this.#pathOf(repository), 'index.json'))
  }

  /**
   * Changes a repository's layout. Changes of one repository happen one after the other; what the act does
   * before it returns (checking that blobs exist, say) is part of its turn. Nothing is written when it throws.
   */
  async change<Result>(
    repository: string,
    act: (draft: LayoutDraft) => Promise<Result>,
    afterwards?: (result: Result) => Promise<void>,
  ): Promise<Result> {
    return this.#locks.run(repository, async () => {
      const before = (await this.layout(repository)) ?? EMPTY_LAYOUT
      const draft = { manifests: new Map(before.manifests), tags: new Map(before.tags) }
      const result = await act(draft)
      const text = formatLayout(draft)
      if (text !== formatLayout(before))
        await writeDurably(this.#temporary, join(this.#pathOf(repository), 'index.json'), text)
      await afterwards?.(result)
      return result
    })
  }

  /** Makes the repository's folders and an empty layout, unless they are there. */
  async prepare(repository: string): Promise<void> {
    const path = this.#pathOf(repository)
    for (const algorithm of ALGORITHMS) await makeFolder(join(path, 'blobs', algorithm))
    await this.#locks.run(repository, async () => {
      if ((await this.layout(repository)) !== undefined) return
      await writeDurably(this.#temporary, join(path, 'oci-layout'), LAYOUT_MARK)
      await writeDurably(this.#temporary, join(path, 'index.json'), formatLayout(EMPTY_LAYOUT))
    })
  }

  /** Opens a blob of the repository; undefined when it has none. The caller closes it. */
  async openBlob(repository: string, digest: ContentDigest): Promise<FileHandle | undefined> {
    try {
      return await open(contentPath(this.#pathOf(repository), digest), 'r')
    } catch (error) {
      if (failedWith(error, 'ENOENT')) return undefined
      throw error
    }
  }

  /** Bytes of a blob of the repository; undefined when it has none. */
  async blobSize(repository: string, digest: ContentDigest): Promise<number | undefined> {
    try {
      return (await stat(contentPath(this.#pathOf(repository), digest))).size
    } catch (error) {
      if (failedWith(error, 'ENOENT')) return undefined
      throw error
    }
  }

  /** Takes over a file with verified, synced bytes. */
  async placeBlob(repository: string, digest: ContentDigest, file: string): Promise<void> {
    await this.prepare(repository)
    await moveDurably(file, contentPath(this.#pathOf(repository), digest))
  }

  /** Writes verified bytes. The repository must have been prepared. */
  async writeBlob(repository: string, digest: ContentDigest, bytes: Uint8Array): Promise<void> {
    await writeDurably(this.#temporary, contentPath(this.#pathOf(repository), digest), bytes)
  }

  /** Shows a blob of one repository in another. @returns false when the first has no such blob */
  async mountBlob(repository: string, digest: ContentDigest, from: string): Promise<boolean> {
    if ((await this.blobSize(from, digest)) === undefined) return false
    await this.prepare(repository)
    const target = contentPath(this.#pathOf(repository), digest)
    return linkDurably(this.#temporary, contentPath(this.#pathOf(from), digest), target)
  }

  /** Removes a blob from the repository; others keep theirs. Readers that opened it read on. */
  async removeBlob(repository: string, digest: ContentDigest): Promise<void> {
    await rm(contentPath(this.#pathOf(repository), digest), { force: true })
  }

  #pathOf(repository: string): string {
    return join(this.#folder, folderName(repository))
  }
}
