import { connect } from 'node:net'
import { text } from 'node:stream/consumers'

/** Sends a request as it is written, which the clients of Node would correct. */
export const RawHttp = {
  /** @param request the head and the body; the server closes the connection after its response */
  async send(port: number, request: string): Promise<{ status: number; head: string; body: string }> {
    const socket = connect(port, '127.0.0.1')
    socket.write(request)
    const response = await text(socket)
    const end = response.indexOf('\r\n\r\n')
    return {
      status: Number(/^HTTP\/1\.1 (\d{3})/.exec(response)?.[1]),
      head: response.slice(0, end),
      body: response.slice(end + 4),
    }
  },
}
