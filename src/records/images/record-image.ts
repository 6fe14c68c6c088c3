/** The operations on record images for conversions and tests. Inside this folder, import from the files themselves. */
export { assertNoGlobs } from './pack-record-image.ts'
export { publishRecordImage } from './publish-record-image.ts'
export { readRecordImage } from './read-record-image.ts'
