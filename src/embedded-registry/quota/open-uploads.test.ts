import { randomUUID } from 'node:crypto'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openQuotaRegistry } from '../../../test/support/servers/quota-registry.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { uploadFileName } from '../upload-name.ts'
import { MAX_OPEN_UPLOADS, MAX_OPEN_UPLOADS_OF_PROJECT, OpenUploads } from './open-uploads.ts'

it('refuses uploads of a project that has too many, until one has ended', async () => {
  await using folder = await temporaryFolder()
  const uploads = join(folder.path, 'uploads', 'app')
  await mkdir(uploads, { recursive: true })
  const ids = Array.from({ length: MAX_OPEN_UPLOADS_OF_PROJECT - 1 }, () => randomUUID())
  for (const id of ids)
    await writeFile(join(uploads, uploadFileName(id, { project: 'busy', id: '' }) ?? ''), '')
  await using api = await openQuotaRegistry(folder.path)
  const open = (project: string) => api.as(project, 'POST', '/v2/app/blobs/uploads/')
  const last = await open('busy')
  expect(last.status).toBe(202)
  const refused = await open('busy')
  expect([refused.status, refused.json().errors[0]]).toEqual([
    429,
    {
      code: 'TOOMANYREQUESTS',
      message: expect.stringContaining('the project busy has 1000 unfinished uploads'),
      detail: { bound: 'openUploads', limit: MAX_OPEN_UPLOADS_OF_PROJECT },
    },
  ])
  expect((await open('other')).status).toBe(202)
  // A blob in one request is an upload, too, but for its duration only.
  expect((await api.push('busy', 'app', Buffer.from('blob'))).status).toBe(429)
  expect((await api.as('busy', 'DELETE', last.header('location'))).status).toBe(204)
  for (const content of ['one', 'two'])
    expect((await api.push('busy', 'app', Buffer.from(content))).status).toBe(201)
  expect((await open('busy')).status).toBe(202)
  expect((await open('busy')).status).toBe(429)
})

it('bounds the uploads of all projects together', () => {
  const uploads = new OpenUploads()
  const pathOf = (index: number) => `/uploads/app/${index}+project-${index % 20}+owner`
  for (let index = 0; index < MAX_OPEN_UPLOADS; index++) uploads.open(pathOf(index))
  expect(() => uploads.open(pathOf(MAX_OPEN_UPLOADS))).toThrow('the registry has 10000 unfinished uploads')
  expect([uploads.close(pathOf(0)), uploads.close(pathOf(0))]).toEqual([true, false])
  uploads.open(pathOf(MAX_OPEN_UPLOADS))
})

it('leaves no folder of a repository behind whose uploads have ended', async () => {
  await using folder = await temporaryFolder()
  await using api = await openQuotaRegistry(folder.path)
  const names = ['a', 'b', 'c']
  const opened = await Promise.all(names.map((name) => api.as('p', 'POST', `/v2/${name}/blobs/uploads/`)))
  await Promise.all(names.map((name) => api.push('p', name, Buffer.from(name))))
  expect((await readdir(join(folder.path, 'uploads'))).toSorted()).toEqual(names)
  for (const upload of opened) await api.as('p', 'DELETE', upload.header('location'))
  expect(await readdir(join(folder.path, 'uploads'))).toEqual([])
})
