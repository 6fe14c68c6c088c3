/** The bytes in which Linux 5.1 and later searches for an ELF header or a `#!` line (BINPRM_BUF_SIZE). */
const LINE_BYTES = 256
const HEAD_BYTES = 4096
/** PATH_MAX: the kernel does not run programs with a longer PT_INTERP. */
const MAX_NAME_BYTES = 4096
/**
 * The maximum size of program headers that the kernel reads: ELF_MIN_ALIGN or more (fs/binfmt_elf.c,
 * load_elf_phdrs).
 */
const MAX_HEADER_BYTES = 65_536
const PT_INTERP = 3
const ELF_MAGIC = 0x7f454c46

type ByteRange = { readonly start: number; readonly end: number }
/** The range of the program that is needed next: program headers, or the interpreter's name. */
type PendingRange = ByteRange & { readonly kind: 'headers' | 'name' }

/** Offsets of fields in the ELF header and in program headers, by class (elf(5)). */
const LAYOUTS = {
  1: {
    headerSize: 52,
    tableOffset: 28,
    entrySizeOffset: 42,
    entryCountOffset: 44,
    entrySize: 32,
    segmentOffsetOffset: 4,
    segmentSizeOffset: 16,
    is64Bit: false,
  },
  2: {
    headerSize: 64,
    tableOffset: 32,
    entrySizeOffset: 54,
    entryCountOffset: 56,
    entrySize: 56,
    segmentOffsetOffset: 8,
    segmentSizeOffset: 32,
    is64Bit: true,
  },
} as const
type ElfLayout = (typeof LAYOUTS)[keyof typeof LAYOUTS]

/**
 * Finds the interpreter that the kernel opens to run a program, in the program's bytes as they stream by:
 * PT_INTERP of an ELF file, or the path after `#!`. No system call shows that this file is read.
 */
export class InterpreterScanner {
  #head = Buffer.alloc(0)
  #layout: ElfLayout | undefined
  #isBigEndian = false
  /** Undefined until the head is complete. */
  #pending: PendingRange | undefined
  #collected: Buffer[] = []
  #collectedBytes = 0
  /** The bytes pushed so far. */
  #position = 0
  #interpreter: string | undefined
  #isDone = false
  #isInconclusive = false

  /** Scans the next bytes. Returns whether more are needed. */
  push(bytes: Uint8Array): boolean {
    if (this.#isDone) return false
    const start = this.#position
    this.#position += bytes.length
    if (this.#head.length < HEAD_BYTES) {
      this.#head = Buffer.concat([this.#head, bytes.subarray(0, HEAD_BYTES - this.#head.length)])
      if (this.#head.length < HEAD_BYTES) return true
    }
    this.#scan(bytes, start)
    return !this.#isDone
  }

  /**
   * Ends the scan, at the end of the program or of its available bytes.
   * @returns the interpreter; undefined if the program has none
   */
  finish(): string | undefined {
    if (!this.#isDone) this.#scan(this.#head.subarray(0, 0), this.#position)
    if (!this.#isDone) this.#isInconclusive = true
    return this.#interpreter
  }

  /** Whether the bytes were not enough to find the interpreter or to rule it out. */
  get isInconclusive(): boolean {
    return this.#isInconclusive
  }

  /** Proceeds as far as the head and the current bytes allow. */
  #scan(bytes: Uint8Array, start: number): void {
    if (this.#pending === undefined) this.#readHead()
    while (!this.#isDone && this.#pending !== undefined) {
      const { end } = this.#pending
      const next = this.#pending.start + this.#collectedBytes
      if (next === end) this.#useCollected(Buffer.concat(this.#collected))
      else if (next < this.#head.length) this.#collect(this.#head.subarray(next, end))
      else if (next >= this.#position) return
      else if (next >= start) this.#collect(bytes.subarray(next - start, end - start))
      else {
        // The range is in bytes that streamed by before it was needed.
        this.#isInconclusive = true
        this.#end(undefined)
      }
    }
  }

  #collect(bytes: Uint8Array): void {
    this.#collected.push(Buffer.from(bytes))
    this.#collectedBytes += bytes.length
  }

  #request(range: PendingRange): void {
    this.#pending = range
    this.#collected = []
    this.#collectedBytes = 0
  }

  #readHead(): void {
    const head = this.#head
    if (head.toString('latin1', 0, 2) === '#!') {
      this.#end(scriptInterpreter(head))
      return
    }
    const layout = LAYOUTS[head[4] as 1 | 2]
    const isElf = head.length >= 20 && head.readUInt32BE(0) === ELF_MAGIC
    if (!isElf || layout === undefined || head.length < layout.headerSize) {
      this.#end(undefined)
      return
    }
    this.#layout = layout
    this.#isBigEndian = head[5] === 2
    const start = this.#readWord(head, layout.tableOffset, layout.is64Bit)
    const entrySize = this.#readUInt16(head, layout.entrySizeOffset)
    const length = entrySize * this.#readUInt16(head, layout.entryCountOffset)
    if (entrySize !== layout.entrySize || length > MAX_HEADER_BYTES) this.#end(undefined)
    else this.#request({ kind: 'headers', start, end: start + length })
  }

  #useCollected(bytes: Buffer): void {
    const nameRange = this.#pending?.kind === 'headers' ? this.#findInterpreterRange(bytes) : undefined
    if (nameRange !== undefined) this.#request({ kind: 'name', ...nameRange })
    else this.#end(this.#pending?.kind === 'name' ? decodeUpToNul(bytes) : undefined)
  }

  #findInterpreterRange(programHeaders: Buffer): ByteRange | undefined {
    const layout = this.#layout
    if (layout === undefined) return undefined
    const { entrySize, is64Bit } = layout
    for (let offset = 0; offset + entrySize <= programHeaders.length; offset += entrySize) {
      const type = this.#isBigEndian
        ? programHeaders.readUInt32BE(offset)
        : programHeaders.readUInt32LE(offset)
      if (type !== PT_INTERP) continue
      const start = this.#readWord(programHeaders, offset + layout.segmentOffsetOffset, is64Bit)
      const size = this.#readWord(programHeaders, offset + layout.segmentSizeOffset, is64Bit)
      return size >= 2 && size <= MAX_NAME_BYTES ? { start, end: start + size } : undefined
    }
    return undefined
  }

  #readWord(bytes: Buffer, offset: number, is64Bit: boolean): number {
    if (!is64Bit) return this.#isBigEndian ? bytes.readUInt32BE(offset) : bytes.readUInt32LE(offset)
    return Number(this.#isBigEndian ? bytes.readBigUInt64BE(offset) : bytes.readBigUInt64LE(offset))
  }

  #readUInt16(bytes: Buffer, offset: number): number {
    return this.#isBigEndian ? bytes.readUInt16BE(offset) : bytes.readUInt16LE(offset)
  }

  #end(interpreter: string | undefined): void {
    this.#isDone = true
    this.#interpreter = interpreter
  }
}

/** Returns the path after `#!`, without its argument (fs/binfmt_script.c). */
function scriptInterpreter(head: Buffer): string | undefined {
  const line = head.subarray(2, LINE_BYTES)
  const start = line.findIndex((byte) => byte !== 0x20 && byte !== 0x09)
  if (start === -1) return undefined
  const end = line.findIndex((byte, i) => i > start && (byte <= 0x20 || byte === 0))
  // The kernel rejects a path that does not end within its buffer.
  if (end === -1 && head.length >= LINE_BYTES) return undefined
  return decodeUpToNul(line.subarray(start, end === -1 ? undefined : end))
}

/** Returns the text before the first NUL; undefined if it is empty, not UTF-8 or has several lines. */
function decodeUpToNul(bytes: Buffer): string | undefined {
  const end = bytes.indexOf(0)
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(end === -1 ? bytes : bytes.subarray(0, end))
    return text === '' || text.includes('\n') ? undefined : text
  } catch {
    return undefined
  }
}

/** Whether an entry is a regular file with an execute bit. */
export function isProgram(type: string, mode: number | undefined): boolean {
  return type === 'reg' && ((mode ?? 0) & 0o111) !== 0
}
