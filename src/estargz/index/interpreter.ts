/** What the first bytes of a program may be: an ELF header, or `#!` and a line (BINPRM_BUF_SIZE of Linux 5.1 and later). */
const LINE_BYTES = 256
const HEAD_BYTES = 4096
/** PATH_MAX: the kernel runs nothing with a longer PT_INTERP. */
const MAX_NAME_BYTES = 4096
/** ELF_MIN_ALIGN and up: the kernel reads no more of program headers (fs/binfmt_elf.c, load_elf_phdrs). */
const MAX_HEADER_BYTES = 65_536
const PT_INTERP = 3
const ELF = 0x7f454c46

type Range = { readonly start: number; readonly end: number }
/** What is looked for beyond the head: program headers, or the name itself. */
type Wanted = Range & { readonly is: 'headers' | 'name' }

/** Where the fields of ELF headers are, by class (elf(5)). */
const LAYOUTS = {
  1: {
    header: 52,
    tableAt: 28,
    entrySizeAt: 42,
    countAt: 44,
    entrySize: 32,
    offsetAt: 4,
    sizeAt: 16,
    wide: false,
  },
  2: {
    header: 64,
    tableAt: 32,
    entrySizeAt: 54,
    countAt: 56,
    entrySize: 56,
    offsetAt: 8,
    sizeAt: 32,
    wide: true,
  },
} as const
type Layout = (typeof LAYOUTS)[keyof typeof LAYOUTS]

/**
 * Finds the interpreter that the kernel opens to run a program, in the program's bytes as they go by: PT_INTERP of an ELF
 * file, or what stands behind `#!`. No system call shows that this file is read.
 */
export class InterpreterScan {
  #head = Buffer.alloc(0)
  #layout: Layout | undefined
  #isBig = false
  /** Left out: the head has not come. */
  #wanted: Wanted | undefined
  #found: Buffer[] = []
  #foundBytes = 0
  /** Bytes that went by. */
  #at = 0
  #interpreter: string | undefined
  #isOver = false
  #isMissed = false

  /** Takes the next bytes. Whether more of them are needed. */
  push(bytes: Uint8Array): boolean {
    if (this.#isOver) return false
    const start = this.#at
    this.#at += bytes.length
    if (this.#head.length < HEAD_BYTES) {
      this.#head = Buffer.concat([this.#head, bytes.subarray(0, HEAD_BYTES - this.#head.length)])
      if (this.#head.length < HEAD_BYTES) return true
    }
    this.#go(bytes, start)
    return !this.#isOver
  }

  /**
   * The program ends, or no more of it is known.
   * @returns its interpreter; undefined when it has none
   */
  end(): string | undefined {
    if (!this.#isOver) this.#go(this.#head.subarray(0, 0), this.#at)
    if (!this.#isOver) this.#isMissed = true
    return this.#interpreter
  }

  /** Whether the bytes that came do not tell. */
  get isMissed(): boolean {
    return this.#isMissed
  }

  /** Goes as far as it can with the head and the bytes that are here now. */
  #go(bytes: Uint8Array, start: number): void {
    if (this.#wanted === undefined) this.#readHead()
    while (!this.#isOver && this.#wanted !== undefined) {
      const { start: from, end } = this.#wanted
      const next = from + this.#foundBytes
      if (next === end) this.#use(Buffer.concat(this.#found))
      else if (next < this.#head.length) this.#add(this.#head.subarray(next, end))
      else if (next >= this.#at) return
      else if (next >= start) this.#add(bytes.subarray(next - start, end - start))
      else {
        this.#isMissed = true
        this.#finish(undefined)
      }
    }
  }

  #add(bytes: Uint8Array): void {
    this.#found.push(Buffer.from(bytes))
    this.#foundBytes += bytes.length
  }

  #want(wanted: Wanted): void {
    this.#wanted = wanted
    this.#found = []
    this.#foundBytes = 0
  }

  #readHead(): void {
    const head = this.#head
    if (head.toString('latin1', 0, 2) === '#!') {
      this.#finish(scriptInterpreter(head))
      return
    }
    const layout = LAYOUTS[head[4] as 1 | 2]
    const isElf = head.length >= 20 && head.readUInt32BE(0) === ELF
    if (!isElf || layout === undefined || head.length < layout.header) {
      this.#finish(undefined)
      return
    }
    this.#layout = layout
    this.#isBig = head[5] === 2
    const start = this.#number(head, layout.tableAt, layout.wide)
    const entrySize = this.#short(head, layout.entrySizeAt)
    const length = entrySize * this.#short(head, layout.countAt)
    if (entrySize !== layout.entrySize || length > MAX_HEADER_BYTES) this.#finish(undefined)
    else this.#want({ is: 'headers', start, end: start + length })
  }

  #use(bytes: Buffer): void {
    const name = this.#wanted?.is === 'headers' ? this.#interpreterIn(bytes) : undefined
    if (name !== undefined) this.#want({ is: 'name', ...name })
    else this.#finish(this.#wanted?.is === 'name' ? textUpTo(bytes, 0) : undefined)
  }

  #interpreterIn(headers: Buffer): Range | undefined {
    const layout = this.#layout
    if (layout === undefined) return undefined
    for (let at = 0; at + layout.entrySize <= headers.length; at += layout.entrySize) {
      const type = this.#isBig ? headers.readUInt32BE(at) : headers.readUInt32LE(at)
      if (type !== PT_INTERP) continue
      const start = this.#number(headers, at + layout.offsetAt, layout.wide)
      const size = this.#number(headers, at + layout.sizeAt, layout.wide)
      return size >= 2 && size <= MAX_NAME_BYTES ? { start, end: start + size } : undefined
    }
    return undefined
  }

  #number(bytes: Buffer, at: number, isWide: boolean): number {
    if (!isWide) return this.#isBig ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at)
    return Number(this.#isBig ? bytes.readBigUInt64BE(at) : bytes.readBigUInt64LE(at))
  }

  #short(bytes: Buffer, at: number): number {
    return this.#isBig ? bytes.readUInt16BE(at) : bytes.readUInt16LE(at)
  }

  #finish(interpreter: string | undefined): void {
    this.#isOver = true
    this.#interpreter = interpreter
  }
}

/** What stands behind `#!`, without its argument (fs/binfmt_script.c). */
function scriptInterpreter(head: Buffer): string | undefined {
  const line = head.subarray(2, LINE_BYTES)
  const start = line.findIndex((byte) => byte !== 0x20 && byte !== 0x09)
  if (start === -1) return undefined
  const end = line.findIndex((byte, i) => i > start && (byte <= 0x20 || byte === 0))
  // A name that goes on beyond the buffer is none.
  if (end === -1 && head.length >= LINE_BYTES) return undefined
  return textUpTo(line.subarray(start, end === -1 ? undefined : end), 0)
}

/** The text before a byte; undefined for what is empty or no UTF-8. */
function textUpTo(bytes: Buffer, stop: number): string | undefined {
  const end = bytes.indexOf(stop)
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(end === -1 ? bytes : bytes.subarray(0, end))
    return text === '' || text.includes('\n') ? undefined : text
  } catch {
    return undefined
  }
}

/** Whether a regular file may be run: any execute bit. */
export function isProgram(type: string, mode: number | undefined): boolean {
  return type === 'reg' && ((mode ?? 0) & 0o111) !== 0
}
