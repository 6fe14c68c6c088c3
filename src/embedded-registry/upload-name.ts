import { createHash } from 'node:crypto'
import { DEFAULT_PROJECT } from './guard/sender.ts'

/** Who opened an upload. Nobody else knows it. */
export type UploadOwner = { readonly project: string; readonly id: string }

const UPLOAD_ID = /^[a-f0-9]{8}(?:-[a-f0-9]{4}){3}-[a-f0-9]{12}$/
const OWNER_BYTES = 16

/**
 * Returns the name of an upload's file: its id, project and a hash of its owner, so that the upload of another one is
 * a file that does not exist. Undefined if the id is malformed.
 */
export function uploadFileName(id: string, owner: UploadOwner): string | undefined {
  if (!UPLOAD_ID.test(id)) return undefined
  const hash = createHash('sha256').update(owner.id).digest('hex')
  return `${id}+${owner.project}+${hash.slice(0, 2 * OWNER_BYTES)}`
}

/** Returns the project in the name of an upload's file. */
export function projectOfUpload(fileName: string): string {
  return fileName.split('+')[1] ?? DEFAULT_PROJECT
}
