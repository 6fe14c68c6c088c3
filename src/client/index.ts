export { BrokerClient, type BrokerClientOptions, createBrokerClient } from './broker-client.ts'
export { BrokerError, type FieldError } from './broker-error.ts'
export type {
  CommonOptions,
  Method,
  PathWith,
  Received,
  RequestOptions,
  ResponseDocument,
} from './broker-request.ts'
export {
  type BrokerEvent,
  type EventOf,
  type EventsOptions,
  events,
  type JobEvent,
  type ReconnectLimits,
  type StreamPath,
} from './events.ts'
export { type ItemOf, type PagedPath, pages } from './pages.ts'
export type { Fetch, RetryLimits } from './retrying-fetch.ts'
export type { components, paths } from './schema.ts'
export { type Profile, type UploadOptions, uploadRecord } from './upload-record.ts'
export {
  type Callback,
  type CallbackRequest,
  InvalidCallbackError,
  type VerifyOptions,
  verifyCallback,
} from './verify-callback.ts'
export { type JobKind, type JobOf, type WaitOptions, waitForJob } from './wait-for-job.ts'
