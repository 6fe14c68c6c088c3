import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { InterpreterScanner } from './interpreter-scanner.ts'

/** Scans bytes in pieces of a size. */
function scan(bytes: Buffer, pieceSize = bytes.length || 1) {
  const scanner = new InterpreterScanner()
  for (let start = 0; start < bytes.length; start += pieceSize) {
    if (!scanner.push(bytes.subarray(start, start + pieceSize))) break
  }
  const interpreter = scanner.finish()
  return { interpreter, isInconclusive: scanner.isInconclusive }
}

/** An ELF program with its program headers and its interpreter's name at given offsets. */
function elf(o: {
  bits?: 32 | 64
  isBigEndian?: boolean
  headersOffset?: number
  nameOffset?: number
  name?: string
  size?: number
}) {
  const {
    bits = 64,
    isBigEndian = false,
    headersOffset = bits === 64 ? 64 : 52,
    nameOffset = 1000,
    name = '/lib/ld.so\0',
    size = 20_000,
  } = o
  const bytes = Buffer.alloc(size)
  const put = (offset: number, value: number, width: number) => {
    if (width === 8) {
      if (isBigEndian) bytes.writeBigUInt64BE(BigInt(value), offset)
      else bytes.writeBigUInt64LE(BigInt(value), offset)
    } else if (isBigEndian) bytes.writeUIntBE(value, offset, width)
    else bytes.writeUIntLE(value, offset, width)
  }
  const is64Bit = bits === 64
  bytes.write('\x7fELF', 'latin1')
  bytes[4] = is64Bit ? 2 : 1
  bytes[5] = isBigEndian ? 2 : 1
  put(is64Bit ? 32 : 28, headersOffset, is64Bit ? 8 : 4)
  put(is64Bit ? 54 : 42, is64Bit ? 56 : 32, 2)
  put(is64Bit ? 56 : 44, 2, 2)
  put(headersOffset, 1, 4)
  const secondHeader = headersOffset + (is64Bit ? 56 : 32)
  put(secondHeader, 3, 4)
  put(secondHeader + (is64Bit ? 8 : 4), nameOffset, is64Bit ? 8 : 4)
  put(secondHeader + (is64Bit ? 32 : 16), name.length, is64Bit ? 8 : 4)
  bytes.write(name, nameOffset, 'latin1')
  return bytes
}

describe('the interpreter of an ELF program', () => {
  it.each([
    ['in the head', {}],
    ['of a 32-bit program', { bits: 32 as const }],
    ['of a big-endian program', { isBigEndian: true }],
    ['after the head', { nameOffset: 15_000 }],
    ['across the end of the head', { nameOffset: 4090 }],
    ['if the program headers are after the head', { headersOffset: 9000, nameOffset: 15_000 }],
  ])('is found %s, in pieces of any size', (_, o) => {
    for (const pieceSize of [20_000, 4096, 100, 7]) {
      expect(scan(elf(o), pieceSize)).toEqual({ interpreter: '/lib/ld.so', isInconclusive: false })
    }
  })

  it('is inconclusive if its name precedes the program headers or is cut off', () => {
    const inconclusive = { interpreter: undefined, isInconclusive: true }
    expect(scan(elf({ headersOffset: 15_000, nameOffset: 9000 }), 100)).toEqual(inconclusive)
    expect(scan(elf({ nameOffset: 15_000 }).subarray(0, 8000))).toEqual(inconclusive)
  })

  it('is found in a real program', () => {
    const node = readFileSync(process.execPath).subarray(0, 100_000)
    expect(scan(node).interpreter).toMatch(/^\/lib.*\/ld-/)
  })

  it('is undefined for invalid sizes and truncated headers', () => {
    expect(scan(elf({ name: 'x' })).interpreter).toBeUndefined()
    for (const length of [0, 3, 5, 20, 63, 64]) {
      expect(scan(elf({}).subarray(0, length)).interpreter).toBeUndefined()
    }
  })
})

describe('the interpreter of a script', () => {
  it.each([
    ['#!/bin/sh\necho', '/bin/sh'],
    ['#! \t/usr/bin/env python3\n', '/usr/bin/env'],
    ['#!/bin/sh', '/bin/sh'],
    ['#!\n/bin/sh', undefined],
    ['#!', undefined],
    ['#', undefined],
    ['', undefined],
    [`#!/${'x'.repeat(300)}\n`, undefined],
    ['echo\n#!/bin/sh\n', undefined],
  ])('in %j is %s', (text, interpreter) => {
    for (const pieceSize of [1, 1000])
      expect(scan(Buffer.from(text), pieceSize).interpreter).toBe(interpreter)
  })
})
