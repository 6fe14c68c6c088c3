import type { ResponseDocument } from '../../client/broker-request.ts'
import type { BrokerOptions } from '../broker/with-broker.ts'
import { print } from '../print.ts'
import { recordText } from '../text/record-text.ts'

/** Prints a record. */
export function printRecord(
  options: BrokerOptions,
  record: ResponseDocument<'get', '/v1/records/{id}'>,
): void {
  print(options, record, { text: recordText, names: ({ id }) => id })
}
