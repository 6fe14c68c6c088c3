import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { runProgram } from '../run-program.ts'
import { buildGoProgram } from './build-go-program.ts'

/** A path of a layer, as a reader sees it. A hard link has the attributes of its target. */
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
  /** Values in base64. */
  readonly xattrs?: Record<string, string>
  readonly size: number
  readonly sha256?: string
  /** The number of chunks that were read and verified. archive/tar has no chunks. */
  readonly chunks?: number
}

/** A layer, as a reader sees it. */
export type ReaderLayer = {
  readonly diffId?: string
  readonly tocDigest?: string
  readonly landmark?: string
  readonly landmarkOffset?: number
  readonly entries: readonly ReaderEntry[]
}

/**
 * Reads layers with the libraries that registry clients use: Go's archive/tar, and the library of
 * stargz-snapshotter.
 */
export class EStargzReader {
  readonly #program: string

  private constructor(program: string) {
    this.#program = program
  }

  static async build(): Promise<EStargzReader> {
    return new EStargzReader(await buildGoProgram('estargz-reader'))
  }

  /** Reads a layer sequentially, and detects its compression. */
  async readTar(path: string): Promise<ReaderLayer> {
    return parseLayer(await runProgram(this.#program, 'tar', path))
  }

  /**
   * Opens a layer by its table of contents, and verifies the table and every chunk of every file.
   * @param externalToc the path of a table of contents outside the layer
   */
  async readToc(path: string, tocDigest: string, externalToc?: string): Promise<ReaderLayer> {
    const external = externalToc === undefined ? [] : [externalToc]
    return parseLayer(await runProgram(this.#program, 'toc', path, tocDigest, ...external))
  }

  /** Starts a process that reads any number of layers. */
  startProcess(): ReaderProcess {
    return new ReaderProcess(this.#program)
  }

  /** Compresses bytes as tools written in Go do. Level -1 is their default. */
  async compress(bytes: Buffer, library: 'gzip' | 'pgzip', level = -1): Promise<Buffer> {
    return pipeThrough(bytes, this.#program, 'compress', library, String(level))
  }
}

/** A reader process that reads one layer per request. */
export class ReaderProcess implements Disposable {
  readonly #child: ReturnType<typeof spawn>
  readonly #responses: AsyncIterator<string>

  constructor(program: string) {
    this.#child = spawn(program, ['serve'], { stdio: ['pipe', 'pipe', 'inherit'] })
    const { stdout } = this.#child
    if (!stdout) throw new Error('the reader has no standard output')
    this.#responses = createInterface({ input: stdout })[Symbol.asyncIterator]()
  }

  /** @param request `tar LAYER` or `toc LAYER DIGEST` */
  async read(...request: string[]): Promise<ReaderLayer & { readonly error?: string }> {
    this.#child.stdin?.write(`${request.join(' ')}\n`)
    const response = JSON.parse((await this.#responses.next()).value ?? '{"error":"the reader exited"}') as {
      error?: string
      layer: Omit<ReaderLayer, 'entries'>
      entries: ReaderEntry[]
    }
    return { ...response.layer, entries: response.entries, ...(response.error && { error: response.error }) }
  }

  [Symbol.dispose](): void {
    this.#child.kill()
  }
}

function parseLayer(output: string): ReaderLayer {
  const [layer, ...entries] = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  return { ...layer, entries }
}

/** Writes bytes to the standard input of a program, and returns its standard output. */
export async function pipeThrough(bytes: Buffer, program: string, ...args: string[]): Promise<Buffer> {
  const child = spawn(program, args, { stdio: 'pipe' })
  const parts: Buffer[] = []
  child.stdout.on('data', (part: Buffer) => parts.push(part))
  const stderr = text(child.stderr)
  const closed = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  child.stdin.end(bytes)
  const status = await closed
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} exited with ${status}: ${await stderr}`)
  return Buffer.concat(parts)
}
