import { Readable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../../oci/digest.ts'
import { RecordError } from '../errors.ts'
import { RecordEntry, RecordFormat, writeRecordFile } from '../model.ts'
import type { ReadRecordOptions } from './line-format-reader.ts'
import { writePathList } from './parsers/path-list.ts'
import { readRecord } from './read-record.ts'

const digest = digestOf('manifest')

function read(content: string | Buffer, options: Partial<ReadRecordOptions> & { chunkSize?: number } = {}) {
  const bytes = Buffer.from(content)
  const { chunkSize = bytes.length || 1, ...readOptions } = options
  const chunks = []
  for (let i = 0; i < bytes.length; i += chunkSize) chunks.push(bytes.subarray(i, i + chunkSize))
  return readRecord(Readable.from(chunks), { maxBytes: 1_000_000, ...readOptions })
}

describe('a stargz record file', () => {
  it('is read as upstream writes it, with its manifest digests and layer indexes', async () => {
    const file = `{"path":"usr/bin/app","manifestDigest":"${digest}","layerIndex":2}\n{"path":"/etc//./conf/"}\n`
    expect(await read(file)).toEqual({
      format: 'stargz-record',
      entries: [{ path: 'usr/bin/app', manifestDigest: digest, layerIndex: 2 }, { path: 'etc/conf' }],
      skipped: {},
      notes: {},
    })
  })

  it('is written as Go writes it, and read back unchanged', async () => {
    const entries: RecordEntry[] = [
      { layerIndex: 0, path: 'a<b>&"\u2028c', manifestDigest: digest },
      { path: 'usr/lib/**/*.so', glob: true },
    ]
    const file = writeRecordFile(entries)
    expect(file).toBe(
      `{"path":"a\\u003cb\\u003e\\u0026\\"\\u2028c","manifestDigest":"${digest}","layerIndex":0}\n{"path":"usr/lib/**/*.so","glob":true}\n`,
    )
    expect((await read(file)).entries).toEqual(entries)
  })

  it.each([
    ['malformed JSON', '{"path":"a"}\n{"path":\n', 2, /not JSON/],
    ['an array', '{"path":"a"}\n["b"]\n', 2, /expected a JSON object/],
    ['a missing path', '{"path":"a"}\n\n{"name":"b"}\n', 3, /path/],
    ['an invalid digest', '{"path":"a","manifestDigest":"md5:1"}', 1, /manifestDigest/],
    ['an invalid layer', '{"path":"a","layerIndex":-1}', 1, /layerIndex/],
    ['a NUL', '{"path":"a\\u0000b"}', 1, /NUL/],
    ['a path that is too long', `{"path":"${'x'.repeat(5000)}"}`, 1, /path/],
  ])('with %s is rejected with the line', async (_, content, line, message) => {
    await expect(read(content)).rejects.toMatchObject({
      code: 'INVALID_RECORD',
      line,
      message: expect.stringMatching(message),
    })
  })
})

describe('a path list', () => {
  it('has one path or glob per line, and comments', async () => {
    const list =
      '# opened files\r\n\r\n/usr/bin/app\r\n  etc/conf \n/usr/lib/*.so\n/a/[b\n/opt/\\*star\n/\n/srv/../etc/x'
    expect(await read(list)).toEqual({
      format: 'path-list',
      entries: [
        { path: 'usr/bin/app' },
        { path: 'etc/conf' },
        { path: 'usr/lib/*.so', glob: true },
        { path: 'a/[b' },
        { path: 'opt/*star' },
        { path: 'srv/../etc/x' },
      ],
      skipped: {},
      notes: {},
    })
  })

  it('is read back as it was written', async () => {
    const path = fc
      .array(fc.stringMatching(/^[^\0/\n\r]{1,12}$/), { minLength: 1, maxLength: 4 })
      .map((parts) => parts.join('/'))
    await fc.assert(
      fc.asyncProperty(fc.array(path, { minLength: 1, maxLength: 5 }), async (paths) => {
        const { entries } = await read(paths.map((one) => `${JSON.stringify({ path: one })}\n`).join(''), {
          format: 'stargz-record',
        }).catch(() => ({ entries: [] }))
        if (entries.length === 0) return
        const again = await read(writePathList(entries), { format: 'path-list' })
        expect(again.entries).toEqual(entries)
      }),
    )
  })

  it('cannot contain a path with a line break', () => {
    expect(() => writePathList([{ path: 'a\nb' }])).toThrow(RecordError)
  })
})

describe('any record', () => {
  it('is independent of the size of its chunks', async () => {
    const file = Buffer.from('\ufeff{"path":"é/ü"}\r\n\n{"path":"b"}')
    const expected = await read(file)
    expect(expected.entries).toEqual([{ path: 'é/ü' }, { path: 'b' }])
    for (const chunkSize of [1, 2, 3, 7]) expect(await read(file, { chunkSize })).toEqual(expected)
  })

  it('has bounds on bytes, entries, globs and lines', async () => {
    await expect(read('/a\n/b\n', { maxBytes: 5 })).rejects.toMatchObject({ code: 'RECORD_TOO_LARGE' })
    await expect(read('/a\n/b\n', { maxEntries: 1 })).rejects.toMatchObject({
      code: 'RECORD_TOO_LARGE',
      line: 2,
    })
    await expect(read(Array.from({ length: 1001 }, (_, i) => `/${i}*\n`).join(''))).rejects.toMatchObject({
      code: 'RECORD_TOO_LARGE',
      line: 1001,
    })
    await expect(read(`/a\n/${'x'.repeat(70_000)}`)).rejects.toMatchObject({
      code: 'INVALID_RECORD',
      line: 2,
    })
  })

  it('must be text with at least one path', async () => {
    for (const content of ['', '\n', '# nothing\n']) {
      await expect(read(content)).rejects.toMatchObject({ code: 'INVALID_RECORD', message: /no path/ })
    }
    await expect(read(Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 0, 0x2f]))).rejects.toMatchObject({
      code: 'UNKNOWN_FORMAT',
      line: 1,
    })
  })

  it('is not rejected because of a name that is not UTF-8', async () => {
    const names = Buffer.from('/a\n/\xff\n/b\n', 'latin1')
    expect(await read(names)).toMatchObject({
      entries: [{ path: 'a' }, { path: 'b' }],
      skipped: { encoding: 1 },
    })
    const list = Buffer.from('["/a", "/\xff", "/\xc3\xa9"]', 'latin1')
    expect(await read(list)).toMatchObject({
      entries: [{ path: 'a' }, { path: 'é' }],
      skipped: { encoding: 1 },
    })
    const log = 'openat(AT_FDCWD, "/\\377", O_RDONLY) = 3\nopenat(AT_FDCWD, "/\\303\\251", O_RDONLY) = 3\n'
    expect(await read(log)).toMatchObject({ entries: [{ path: 'é' }], skipped: { encoding: 1 } })
  })

  it('has distinct entries, and repetitions do not count towards the bound', async () => {
    expect(await read('/a\n/b\n/a\n//a\n', { maxEntries: 2 })).toMatchObject({
      entries: [{ path: 'a' }, { path: 'b' }],
      skipped: { repeated: 2 },
    })
  })

  it('that starts with a bracket may be a path list', async () => {
    const named = await read('[a-z]*\n', { format: 'path-list' })
    expect(named.entries).toEqual([{ path: '[a-z]*', glob: true }])
    expect(await read('[a-z]*/x\n/b\n')).toMatchObject({ format: 'path-list', entries: [{ glob: true }, {}] })
  })

  it('has no paths of pseudo file systems, and counts the dropped ones', async () => {
    const list = '/proc/self/maps\n/usr/bin/app\n/etc/../sys/x\n/dev\n/proc/../etc/passwd\n/process\n/dev/*\n'
    expect(await read(list)).toEqual({
      format: 'path-list',
      entries: [
        { path: 'usr/bin/app' },
        { path: 'proc/../etc/passwd' },
        { path: 'process' },
        { path: 'dev/*', glob: true },
      ],
      skipped: { pseudo: 3 },
      notes: {},
    })
    await expect(read('/proc/1\n')).rejects.toThrow('the record has no path; skipped: 1 pseudo')
  })

  it('that is malformed is rejected with the line and an excerpt', async () => {
    await expect(read('{"path":"a"}\n{"path":\n')).rejects.toThrow(
      /^line 2: not JSON: .* \(read as stargz-record\): "\{\\"path\\":"$/,
    )
  })

  it('is read in linear time, even with hostile lines', async () => {
    const long = 60_000
    const fill = [' ', '(', ')', '1', '1 ', '(1) ', '"', ',', '<', '[', 'a<', '\\'].map((text) =>
      text.repeat(long / text.length),
    )
    const heads = ['', '1', '7 open(', '7 openat(3', 'cat(7): O ', '7 execve("a"', '"', '7 cat ', 'a b(1): R']
    const auditPath = 'type=PATH msg=audit(1.5:31): item=0 nametype=NORMAL name=a'
    heads.push(`type=SYSCALL msg=audit(1.5:31): syscall=openat success=yes\n${auditPath}`)
    const header = { opensnoop: 'PID COMM FD ERR PATH\n', 'nydus-csv': 'path,size,elapsed\n' }
    const started = performance.now()
    for (const format of RecordFormat.options) {
      const before = header[format as keyof typeof header] ?? ''
      for (const head of heads) {
        for (const body of fill) {
          await read(`${before}${head}${body}x\n`, { format }).catch((error) =>
            expect(error).toBeInstanceOf(RecordError),
          )
        }
      }
    }
    expect(performance.now() - started).toBeLessThan(20_000)
  })

  it('of arbitrary bytes returns entries or throws a RecordError, in every format', async () => {
    const scrap = fc.constantFrom(
      ...'/ * [ ] { } , \\ \n " # .. a 1 7 = -1 ( ) < > ? : ; + - O R'.split(' '),
      ' ',
      '\n',
      ...[
        'openat(AT_FDCWD',
        '"/etc/passwd"',
        'O_RDONLY|O_DIRECTORY',
        ') = 3',
        ' <unfinished ...>',
        '<... openat resumed>',
      ],
      ...[
        'chdir("x") = 0\n',
        'fchdir(3) = 0\n',
        'clone(flags=CLONE_FS) = 8\n',
        '+++ exited with 0 +++\n',
        '[pid 7] ',
        '12:00:00 ',
      ],
      ...[
        'cat(7): RO /etc/passwd\n',
        'PID COMM FD ERR PATH\n',
        'path,size,elapsed\n',
        '{"path":"/a"}',
        '{"version":"v1","files":[',
        '["',
      ],
    )
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
      fc.string({ unit: 'binary', maxLength: 200 }).map((text) => Buffer.from(text)),
      fc.array(scrap, { maxLength: 60 }).map((parts) => Buffer.from(parts.join(''))),
    )
    await fc.assert(
      fc.asyncProperty(
        bytes,
        fc.constantFrom(undefined, ...RecordFormat.options),
        fc.constantFrom(undefined, '/srv'),
        async (content, format, workingDirectory) => {
          try {
            const { entries } = await read(content, { format, workingDirectory })
            expect(entries.length).toBeGreaterThan(0)
            for (const entry of entries) expect(RecordEntry.parse(entry)).toEqual(entry)
          } catch (error) {
            expect(error).toBeInstanceOf(RecordError)
          }
        },
      ),
      { numRuns: 3000 },
    )
  })
})

describe('a record whose line breaks were removed', () => {
  it.each([
    [
      'calls',
      'openat(AT_FDCWD, "/etc/passwd", O_RDONLY) = 3openat(AT_FDCWD, "/etc/none", O_RDONLY) = -1 ENOENT (No such file or directory)',
      undefined,
    ],
    ['calls', 'open("/a", O_RDONLY) = 3</a(1)>open("/b", O_RDONLY) = 4', 'strace' as const],
    ['entries', '{"path":"a"}{"path":"b"}', undefined],
  ])('is rejected with the remedy: %s', async (what, text, format) => {
    await expect(read(text, format && { format })).rejects.toMatchObject({
      code: 'INVALID_RECORD',
      message: expect.stringMatching(new RegExp(`several ${what} in one line.*--data-binary`)),
    })
  })

  it('differs from a record of one line', async () => {
    const name = 'a) = 3, b'
    expect((await read(`openat(AT_FDCWD, "/${name}", O_RDONLY) = 3`)).entries).toEqual([{ path: name }])
    expect((await read('open("/a", O_RDONLY) = 3</a(1)/b>')).entries).toEqual([{ path: 'a' }])
    expect((await read('{"path":"a"}')).entries).toEqual([{ path: 'a' }])
  })
})
