/** What a scan of the backing registry may cost. */
export type ScanBounds = {
  /** The pause between two passes in milliseconds; 0 disables the scan. */
  readonly intervalMs: number
  /** Requests per second. */
  readonly requestsPerSecond: number
  /** Concurrent requests. */
  readonly concurrency: number
  /** Repositories that are compared. */
  readonly maxRepositories: number
  /** Tags of one repository that are compared. */
  readonly maxTags: number
  /** Images that the catalogue holds. */
  readonly maxImages: number
}

export const DEFAULT_SCAN_BOUNDS: ScanBounds = {
  intervalMs: 300_000,
  requestsPerSecond: 20,
  concurrency: 2,
  maxRepositories: 10_000,
  maxTags: 10_000,
  maxImages: 500_000,
}
