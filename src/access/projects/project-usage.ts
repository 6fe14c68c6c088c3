import type { Quotas } from './project.ts'

/** What a project uses of each quota. A value is missing where the broker does not store it, as without its own registry. */
export type ProjectUsage = { readonly [Quota in keyof Quotas]-?: number | undefined }
