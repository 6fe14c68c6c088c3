// The program of the sample image: a small web service that sends a request to itself and prints the
// response.
import { fastify } from 'fastify'
import { z } from 'zod'

const Greeting = z.object({ name: z.string().min(1) })

const app = fastify()
app.get('/hello/:name', async (request) => {
  const { name } = Greeting.parse(request.params)
  return { greeting: `hello, ${name}` }
})
const response = await app.inject('/hello/record')
console.log(response.body)
await app.close()
