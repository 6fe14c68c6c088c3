import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { ReadRecordOptions } from './line-format-reader.ts'
import { readRecord } from './read-record.ts'

async function read(content: string | Buffer, options: Partial<ReadRecordOptions> = {}) {
  const source = Readable.from([Buffer.from(content)])
  const { format, entries, skipped } = await readRecord(source, { maxBytes: 1e7, ...options })
  return { format, paths: entries.map(({ path }) => path), skipped }
}

describe('fatrace', () => {
  it('is read from a real capture', async () => {
    const { format, paths, skipped } = await read(
      readFileSync('test/fixtures/profiles/python-numpy.fatrace.txt'),
    )
    expect(format).toBe('fatrace')
    expect(paths.slice(0, 3)).toEqual([
      'usr/bin/python3.11',
      'usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2',
      'etc/ld.so.cache',
    ])
    const { nameless = 0, pseudo = 0, repeated = 0 } = skipped
    expect(paths.length + nameless + pseudo + repeated).toBe(245)
    expect(skipped.nameless).toBeGreaterThan(0)
  })

  it('contains files that were opened or read, with any of its options', async () => {
    const log = `Web Content (x)(17): RO /usr/lib/a b
12:00:00.123456 cat(7) [0:100]: R   /etc/passwd
1700000000.5 cat(7): O   /etc/group
cat(7)[0:0]: RCO /etc/hosts
rsyslogd(875): W   /var/log/auth.log
cat(7): C   /etc/closed
cat(7): O device 8:2 inode 658203
cat(7): O   /tmp/gone (deleted)
cat(7): O
`
    expect(await read(log)).toEqual({
      format: 'fatrace',
      paths: ['usr/lib/a b', 'etc/passwd', 'etc/group', 'etc/hosts'],
      skipped: { other: 2, nameless: 2, created: 1 },
    })
  })

  it('separates the program of -e and the parents of -P from the path', async () => {
    const log = `cat(7): RO  /a exe=/usr/bin/cat
cat(7): RO  /b c exe=/usr/bin/a b, parents=(pid=1 comm=systemd),(pid=5 comm=ba(sh))
cat(7): RO  /gone (deleted) exe=/usr/bin/cat
cat(7): RO  /d, parents=(pid=1 comm=init)
`
    expect(await read(log)).toMatchObject({ paths: ['a', 'b c', 'd'], skipped: { created: 1 } })
  })

  it('is read as JSON', async () => {
    const device = { major: 8, minor: 1 }
    const events = [
      { comm: 'cat', pid: 7, types: 'RO', device, inode: 1, path: '/bin/cat' },
      { comm: 'sh', pid: 8, types: 'W', device, inode: 2, path: '/var/log/x' },
      { comm: 'sh', pid: 8, types: 'O', device, inode: 3 },
      { comm: 'sh', pid: 8, types: 'O', device, inode: 3, path_raw: [47, 255] },
      { comm: 'sh', pid: 8, types: '+', device, inode: 3, path: '/tmp' },
    ]
    expect(await read(events.map((one) => `${JSON.stringify(one)}\n`).join(''))).toMatchObject({
      format: 'fatrace-json',
      paths: ['bin/cat'],
      skipped: { other: 2, nameless: 1, encoding: 1 },
    })
  })
})

describe('opensnoop', () => {
  it.each([
    [
      'bcc',
      'PID    COMM      FD ERR PATH\n17358  run        3   0 /etc/ld.so.cache\n17358  run       -1   2 /none\n',
    ],
    [
      'bcc -T -U',
      'TIME(s)       UID   PID    COMM             FD ERR PATH\n0.000000000   0     7      a name of 5       3   0 /etc/ld.so.cache\n0.1 0 7 x -1 2 /none\n',
    ],
    [
      'bcc -e',
      'PID    COMM               FD ERR FLAGS    PATH\n1   systemd     18   0 00100000 /etc/ld.so.cache\n1 systemd -1 2 00100000 /none\n',
    ],
    [
      'bpftrace',
      'Attaching 6 probes...\nTracing open syscalls... Hit Ctrl-C to end.\nPID    COMM    FD ERR PATH\n7 cat 3 0 /etc/ld.so.cache\n7 cat -1 2 /none\n',
    ],
  ])('is read by the header of %s', async (_, log) => {
    expect(await read(log)).toMatchObject({
      format: 'opensnoop',
      paths: ['etc/ld.so.cache'],
      skipped: { failed: 1 },
    })
  })

  it('may contain repeated headers, paths with spaces, and relative paths', async () => {
    const log =
      'PID COMM FD ERR PATH\n7 cat 3 0 /a b\nPID COMM FD ERR FLAGS PATH\n7 cat 3 0 0 conf\n7 cat 3 0 0\n'
    expect(await read(log)).toMatchObject({
      paths: ['a b'],
      skipped: { relative: 1, relativePaths: ['conf'], nameless: 1 },
    })
    expect((await read(log, { workingDirectory: '/srv' })).paths).toEqual(['a b', 'srv/conf'])
    const broken = 'PID COMM FD ERR PATH\n7 cat x y\n7 cat 3 0 /a\n'
    expect(await read(broken)).toMatchObject({ paths: ['a'], skipped: { foreign: 1 } })
    await expect(read('7 cat 3 0 /a\n', { format: 'opensnoop' })).rejects.toMatchObject({ line: 1 })
  })
})

describe('lists of other lazy-pulling tools', () => {
  it('of nydus are read as list, CSV and JSON lines', async () => {
    const csv =
      'path,size,elapsed\n/lib/ld.so,10,20\n"/a, ""b""",1.2 MiB,3.456 ms\npath,size,elapsed\n/c,1,2\nreceived SIGTERM signal\n'
    expect(await read(csv)).toEqual({
      format: 'nydus-csv',
      paths: ['lib/ld.so', 'a, "b"', 'c'],
      skipped: { other: 1 },
    })
    await expect(read('path,size,elapsed\n/a,b,1,2\n')).rejects.toMatchObject({ line: 2, message: /quotes/ })
    await expect(read('path,size,elapsed\n/a"b,1,2\n')).rejects.toMatchObject({ line: 2 })
    const lines =
      '{"path":"/lib/ld.so","size":10,"elapsed":20}\n{"path":"/b","size":1,"elapsed":2}\nreceived SIGTERM signal\n'
    expect(await read(lines)).toEqual({
      format: 'nydus-json',
      paths: ['lib/ld.so', 'b'],
      skipped: { other: 1 },
    })
    await expect(read('{"path":7,"elapsed":1}\n')).rejects.toMatchObject({ code: 'UNKNOWN_FORMAT', line: 1 })
    const list = '/lib/[x]\nreceived SIGTERM signal\n'
    expect(await read(list, { format: 'nydus-list' })).toMatchObject({
      paths: ['lib/[x]'],
      skipped: { other: 1 },
    })
  })

  it('of SOCI and nydusify are JSON documents of any length', async () => {
    const paths = Array.from({ length: 9000 }, (_, i) => `/usr/share/file-${i}`)
    const names = paths.map((path) => path.slice(1))
    const soci = await read(JSON.stringify(['/proc/1', ...paths]))
    expect(soci).toEqual({ format: 'soci', paths: names, skipped: { pseudo: 1 } })
    const files = paths.map((path) => ({ path, ranges: [[0, 20]] }))
    for (const space of [0, 2]) {
      const text = JSON.stringify({ version: 'v1', files }, undefined, space)
      expect(await read(text)).toEqual({ format: 'nydusify', paths: names, skipped: {} })
    }
  })

  it('that are malformed JSON are rejected with the location', async () => {
    await expect(read('[\n"/a",\n"/b" "/c"]')).rejects.toMatchObject({ code: 'INVALID_RECORD', line: 3 })
    await expect(read('["/a", 7]')).rejects.toThrow('[1]: expected a path')
    await expect(read('{"version":"v1"}')).rejects.toThrow(/array of files/)
    await expect(read('{"files":[{"path":"/a"},null]}')).rejects.toThrow('files[1].path: expected a path')
    await expect(read(`["/a",\n"/${'x'.repeat(5000)}"]`)).rejects.toMatchObject({
      line: 2,
      message: /\[1\]: the path/,
    })
    const traces = ['{"version":1,"patterns":[{"blob_index":1,"group_index":4}]}', '[{"ino":5,"nr_read":1}]']
    for (const trace of traces) {
      await expect(read(trace)).rejects.toMatchObject({ code: 'UNKNOWN_FORMAT', message: /nydus/ })
    }
  })

  it('of overlaybd contain literal paths', async () => {
    expect((await read('/a*\n# b\n', { format: 'overlaybd-list' })).paths).toEqual(['a*', '# b'])
  })
})
