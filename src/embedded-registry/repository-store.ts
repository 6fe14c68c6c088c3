import { type FileHandle, open, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { KeyedMutex } from '../concurrency/keyed-mutex.ts'
import { type ContentDigest, contentPath, DIGEST_ALGORITHMS } from './content-digest.ts'
import { createFolder, linkDurably, moveDurably, writeDurably } from './durable-files.ts'
import { ifExists } from './errors.ts'
import { folderName, repositoryOfFolder } from './folder-name.ts'
import { DEFAULT_PROJECT } from './guard/sender.ts'
import {
  EMPTY_LAYOUT,
  formatLayout,
  isSameLayout,
  LAYOUT_FILE,
  type Layout,
  type LayoutDraft,
} from './layout.ts'
import { LayoutReader } from './layout-reader.ts'
import { type Measurement, REPOSITORY_BYTES, StoredBytes } from './quota/stored-bytes.ts'

/** The file that names the project which a repository belongs to, if it is not the default one. */
const PROJECT_FILE = 'record-broker-project'
const MEASURED_AT_ONCE = 16

/**
 * The repositories on disk. Each is an OCI image layout in a folder of its own:
 *
 *     <root>/repositories/team+app/oci-layout
 *                                  index.json           manifests and tags, recorded nowhere else
 *                                  blobs/sha256/<hex>   layers, configs and manifests
 *                                  record-broker-project   who created it, see {@link StoredBytes}
 *
 * so `skopeo copy oci:<root>/repositories/team+app:v1 …` reads what was pushed to `team/app:v1` without a
 * server. A blob that is mounted into another repository is a hard link: it takes no space, each repository
 * exposes its own blobs only, and the bytes are freed with the last link, without reference counts or garbage
 * collection.
 *
 * A name appears only when its bytes are complete, verified and on disk; `index.json` is replaced by a
 * rename. After a crash a repository is as before a push or as after it; an interrupted push leaves an
 * unreferenced blob or a temporary file. Only one process may write to a root.
 */
export class RepositoryStore {
  readonly #folder: string
  readonly #temporaryFolder: string
  readonly #locks = new KeyedMutex()
  readonly #layouts = new LayoutReader()
  /** The bytes of each project. */
  readonly storedBytes: StoredBytes = new StoredBytes(this)

  /** @param folder of the repositories; @param temporaryFolder on the same file system */
  constructor(folder: string, temporaryFolder: string) {
    this.#folder = folder
    this.#temporaryFolder = temporaryFolder
  }

  /** Lists the names of all repositories, sorted. */
  async list(): Promise<string[]> {
    const names: string[] = []
    for (const entry of await readdir(this.#folder, { withFileTypes: true })) {
      if (entry.isDirectory()) names.push(repositoryOfFolder(entry.name))
    }
    return names.sort()
  }

  /** Reads the manifests and tags of a repository; undefined if it does not exist. @throws DocumentError */
  readLayout(repository: string): Promise<Layout | undefined> {
    return this.#layouts.read(this.#indexPath(repository))
  }

  /**
   * Updates the layout of a repository, one update at a time. `edit` may also check that blobs exist, since
   * they are not removed meanwhile. If it throws, nothing is written.
   * @param afterWrite runs before the next update
   */
  async updateLayout<Result>(
    repository: string,
    edit: (draft: LayoutDraft) => Promise<Result>,
    afterWrite?: (result: Result) => Promise<void>,
  ): Promise<Result> {
    return this.#locks.run(repository, async () => {
      const current = (await this.readLayout(repository)) ?? EMPTY_LAYOUT
      const draft = { manifests: new Map(current.manifests), tags: new Map(current.tags) }
      const result = await edit(draft)
      if (!isSameLayout(draft, current)) await this.#writeLayout(repository, draft)
      await afterWrite?.(result)
      return result
    })
  }

  /** Creates the repository's folders and an empty layout for a project, unless they exist. */
  async create(repository: string, project: string): Promise<void> {
    for (const algorithm of DIGEST_ALGORITHMS) {
      await createFolder(join(this.#pathOf(repository), 'blobs', algorithm))
    }
    await this.#locks.run(repository, async () => {
      if ((await this.readLayout(repository)) !== undefined) return
      if (project !== DEFAULT_PROJECT) await this.#write(repository, PROJECT_FILE, project)
      await this.#write(repository, 'oci-layout', LAYOUT_FILE)
      // Not counted: it is measured before its first change.
      await this.#write(repository, 'index.json', await formatLayout(EMPTY_LAYOUT))
    })
  }

  /** Opens a blob; undefined if the repository does not have it. The caller closes it. */
  openBlob(repository: string, digest: ContentDigest): Promise<FileHandle | undefined> {
    return ifExists(open(this.#blobPath(repository, digest), 'r'))
  }

  /** Returns the size of a blob in bytes; undefined if the repository does not have it. */
  blobSize(repository: string, digest: ContentDigest): Promise<number | undefined> {
    return this.fileSize(this.#blobPath(repository, digest))
  }

  /** Returns the bytes that creating a repository takes; none if it exists. */
  async creationBytes(repository: string): Promise<number> {
    return (await this.fileSize(this.#indexPath(repository))) === undefined ? REPOSITORY_BYTES : 0
  }

  /** Returns the size of a file in bytes; undefined if it does not exist. */
  async fileSize(path: string): Promise<number | undefined> {
    return (await ifExists(stat(path)))?.size
  }

  /**
   * Moves a file with verified and synced bytes into the repository, which is created if needed.
   * @param onCounted runs when the bytes are counted
   */
  async addBlobFile(
    repository: string,
    digest: ContentDigest,
    file: string,
    project: string,
    onCounted: () => void,
  ): Promise<void> {
    await this.create(repository, project)
    const path = this.#blobPath(repository, digest)
    await this.storedBytes.change(repository, path, () => moveDurably(file, path), onCounted)
  }

  /** Writes verified bytes. The repository must exist. @param onCounted runs when the bytes are counted */
  async writeBlob(
    repository: string,
    digest: ContentDigest,
    bytes: Uint8Array,
    onCounted: () => void,
  ): Promise<void> {
    const path = this.#blobPath(repository, digest)
    const write = () => writeDurably(this.#temporaryFolder, path, bytes)
    await this.storedBytes.change(repository, path, write, onCounted)
  }

  /**
   * Links a blob of another repository, and creates the repository if needed.
   * @param onCounted runs when the bytes are counted
   * @returns false if `from` lacks the blob
   */
  async mountBlob(
    repository: string,
    digest: ContentDigest,
    from: string,
    project: string,
    onCounted: () => void,
  ): Promise<boolean> {
    if ((await this.blobSize(from, digest)) === undefined) return false
    await this.create(repository, project)
    const path = this.#blobPath(repository, digest)
    const link = () => linkDurably(this.#temporaryFolder, this.#blobPath(from, digest), path)
    return this.storedBytes.change(repository, path, link, onCounted)
  }

  /** Removes a blob from the repository. Other repositories keep it, and open readers can still read it. */
  async removeBlob(repository: string, digest: ContentDigest): Promise<void> {
    const path = this.#blobPath(repository, digest)
    await this.storedBytes.change(repository, path, () => rm(path, { force: true }))
  }

  /** Measures a repository; undefined if it has no layout yet, and so no blobs. */
  async measure(repository: string): Promise<Measurement | undefined> {
    const path = this.#pathOf(repository)
    const indexBytes = await this.fileSize(this.#indexPath(repository))
    if (indexBytes === undefined) return undefined
    let bytes = REPOSITORY_BYTES + indexBytes
    for (const algorithm of DIGEST_ALGORITHMS) {
      const folder = join(path, 'blobs', algorithm)
      const names = (await ifExists(readdir(folder))) ?? []
      // As many at a time as the file system's threads, more or less.
      for (let start = 0; start < names.length; start += MEASURED_AT_ONCE) {
        const batch = names.slice(start, start + MEASURED_AT_ONCE)
        const sizes = await Promise.all(batch.map((name) => this.fileSize(join(folder, name))))
        bytes += sizes.reduce((sum: number, size = 0) => sum + size, 0)
      }
    }
    const project = (await ifExists(readFile(join(path, PROJECT_FILE), 'utf8'))) ?? DEFAULT_PROJECT
    return { project, bytes }
  }

  async #writeLayout(repository: string, layout: Layout): Promise<void> {
    const text = await formatLayout(layout)
    const path = this.#indexPath(repository)
    await this.storedBytes.change(repository, path, () => this.#write(repository, 'index.json', text))
    await this.#layouts.remember(path, layout)
  }

  #write(repository: string, fileName: string, text: string): Promise<void> {
    return writeDurably(this.#temporaryFolder, join(this.#pathOf(repository), fileName), text)
  }

  #indexPath(repository: string): string {
    return join(this.#pathOf(repository), 'index.json')
  }

  #blobPath(repository: string, digest: ContentDigest): string {
    return contentPath(this.#pathOf(repository), digest)
  }

  #pathOf(repository: string): string {
    return join(this.#folder, folderName(repository))
  }
}
