import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { InterpreterScan } from './interpreter.ts'

function scan(bytes: Buffer, piece = bytes.length || 1) {
  const scanned = new InterpreterScan()
  for (let at = 0; at < bytes.length; at += piece) {
    if (!scanned.push(bytes.subarray(at, at + piece))) break
  }
  const interpreter = scanned.end()
  return { interpreter, isMissed: scanned.isMissed }
}

/** A program with its headers and its interpreter where they are wanted. */
function elf(o: {
  bits?: 32 | 64
  big?: boolean
  headersAt?: number
  nameAt?: number
  name?: string
  size?: number
}) {
  const {
    bits = 64,
    big = false,
    headersAt = bits === 64 ? 64 : 52,
    nameAt = 1000,
    name = '/lib/ld.so\0',
    size = 20_000,
  } = o
  const bytes = Buffer.alloc(size)
  const put = (at: number, value: number, width: number) => {
    if (width === 8)
      big ? bytes.writeBigUInt64BE(BigInt(value), at) : bytes.writeBigUInt64LE(BigInt(value), at)
    else big ? bytes.writeUIntBE(value, at, width) : bytes.writeUIntLE(value, at, width)
  }
  const wide = bits === 64
  bytes.write('\x7fELF', 'latin1')
  bytes[4] = wide ? 2 : 1
  bytes[5] = big ? 2 : 1
  put(wide ? 32 : 28, headersAt, wide ? 8 : 4)
  put(wide ? 54 : 42, wide ? 56 : 32, 2)
  put(wide ? 56 : 44, 2, 2)
  put(headersAt, 1, 4)
  const second = headersAt + (wide ? 56 : 32)
  put(second, 3, 4)
  put(second + (wide ? 8 : 4), nameAt, wide ? 8 : 4)
  put(second + (wide ? 32 : 16), name.length, wide ? 8 : 4)
  bytes.write(name, nameAt, 'latin1')
  return bytes
}

describe('the interpreter of an ELF program', () => {
  it.each([
    ['in its head', {}],
    ['of 32 bits', { bits: 32 as const }],
    ['of the other byte order', { big: true }],
    ['behind its head', { nameAt: 15_000 }],
    ['across the end of its head', { nameAt: 4090 }],
    ['with its headers behind the head', { headersAt: 9000, nameAt: 15_000 }],
  ])('is found %s, in pieces of any size', (_, o) => {
    for (const piece of [20_000, 4096, 100, 7]) {
      expect(scan(elf(o), piece)).toEqual({ interpreter: '/lib/ld.so', isMissed: false })
    }
  })

  it('is missed where it went by before it was known', () => {
    expect(scan(elf({ headersAt: 15_000, nameAt: 9000 }), 100)).toEqual({
      interpreter: undefined,
      isMissed: true,
    })
    expect(scan(elf({ nameAt: 15_000 }).subarray(0, 8000))).toEqual({
      interpreter: undefined,
      isMissed: true,
    })
  })

  it('is that of a real program', () => {
    const node = readFileSync(process.execPath).subarray(0, 100_000)
    expect(scan(node).interpreter).toMatch(/^\/lib.*\/ld-/)
  })

  it('is none where sizes make no sense', () => {
    expect(scan(elf({ name: 'x' })).interpreter).toBeUndefined()
    for (const length of [0, 3, 5, 20, 63, 64])
      expect(scan(elf({}).subarray(0, length)).interpreter).toBeUndefined()
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
    for (const piece of [1, 1000]) expect(scan(Buffer.from(text), piece).interpreter).toBe(interpreter)
  })
})
