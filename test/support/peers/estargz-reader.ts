import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { runProgram } from '../run-program.ts'
import { buildGoProgram } from './build-go-program.ts'

/** What a reader tells of a path. Hard links are told as the file that they name. */
export type ReaderEntry = {
  readonly name: string
  readonly type: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly mtime: number
  readonly link?: string
  readonly major?: number
  readonly minor?: number
  /** In base64. */
  readonly xattrs?: Record<string, string>
  readonly size: number
  readonly sha256?: string
  /** In how many chunks a file was read and verified; by archive/tar there are none. */
  readonly chunks?: number
}

/** What a reader tells of a layer. */
export type ReaderLayer = {
  readonly diffId?: string
  readonly tocDigest?: string
  readonly landmark?: string
  readonly landmarkOffset?: number
  readonly entries: readonly ReaderEntry[]
}

/**
 * The readers that clients of registries read layers by: archive/tar of Go, and stargz-snapshotter's library, in a program of
 * our own around them.
 */
export class EStargzReader {
  readonly #program: string

  private constructor(program: string) {
    this.#program = program
  }

  static async build(): Promise<EStargzReader> {
    return new EStargzReader(await buildGoProgram('estargz-reader'))
  }

  /** Reads a layer from front to end, whatever it is packed by. */
  async readTar(path: string): Promise<ReaderLayer> {
    return listed(await runProgram(this.#program, 'tar', path))
  }

  /**
   * Opens a layer by its table of contents, verifies that, and reads and verifies every chunk of every file.
   * @param externalToc path of a table of contents that is not in the layer
   */
  async readToc(path: string, tocDigest: string, externalToc?: string): Promise<ReaderLayer> {
    const external = externalToc === undefined ? [] : [externalToc]
    return listed(await runProgram(this.#program, 'toc', path, tocDigest, ...external))
  }

  /** Reads many layers by one process. */
  startProcess(): ReaderProcess {
    return new ReaderProcess(this.#program)
  }

  /** Packs bytes as tools written in Go do; -1 is the level that they take by default. */
  async compress(bytes: Buffer, packer: 'gzip' | 'pgzip', level = -1): Promise<Buffer> {
    return pipeThrough(bytes, this.#program, 'pack', packer, String(level))
  }
}

/** A process of the reader that is asked for one layer after another. */
export class ReaderProcess implements Disposable {
  readonly #child: ReturnType<typeof spawn>
  readonly #answers: AsyncIterator<string>

  constructor(program: string) {
    this.#child = spawn(program, ['each'], { stdio: ['pipe', 'pipe', 'inherit'] })
    const { stdout } = this.#child
    if (!stdout) throw new Error('the reader has no output')
    this.#answers = createInterface({ input: stdout })[Symbol.asyncIterator]()
  }

  /** @param question `tar LAYER` or `toc LAYER DIGEST` */
  async read(...question: string[]): Promise<ReaderLayer & { readonly error?: string }> {
    this.#child.stdin?.write(`${question.join(' ')}\n`)
    const answer = JSON.parse((await this.#answers.next()).value ?? '{"error":"the reader ended"}') as {
      error?: string
      layer: Omit<ReaderLayer, 'entries'>
      entries: ReaderEntry[]
    }
    return { ...answer.layer, entries: answer.entries, ...(answer.error && { error: answer.error }) }
  }

  [Symbol.dispose](): void {
    this.#child.kill()
  }
}

function listed(output: string): ReaderLayer {
  const [layer, ...entries] = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  return { ...layer, entries }
}

/** What a program makes of bytes. */
export async function pipeThrough(bytes: Buffer, program: string, ...args: string[]): Promise<Buffer> {
  const child = spawn(program, args, { stdio: 'pipe' })
  const parts: Buffer[] = []
  child.stdout.on('data', (part: Buffer) => parts.push(part))
  const complaints = text(child.stderr)
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  child.stdin.end(bytes)
  const status = await ended
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}: ${await complaints}`)
  return Buffer.concat(parts)
}
