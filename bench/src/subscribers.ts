// `node bench/src/subscribers.ts [subscribers]`: events to many readers at once, through the server and from a bare one
// that writes the same bytes, side by side: CPU of this process for each delivery, and their ratio.
import { live, token } from "@rejoin/server/testing/Served"
import { ProviderInstanceId, ThreadId } from "@rejoin/contracts/Ids"
import { Console, Effect } from "effect"
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http"

const count = Number(process.argv[2] ?? 1000)
const rounds = 50

/** Opens so many streams; `delivered` waits until each has had so many events more. */
const readers = async (url: string) => {
  let events = 0
  let wanted = Number.POSITIVE_INFINITY
  let done = () => {}
  const responses: Array<IncomingMessage> = []
  for (let i = 0; i < count; i++) {
    responses.push(
      await new Promise<IncomingMessage>((resolve, reject) => {
        const sent = request(url, { headers: { authorization: `Bearer ${token}` } }, resolve)
        sent.on("error", reject)
        sent.end()
      })
    )
  }
  for (const response of responses) {
    response.setEncoding("utf8")
    response.on("data", (text: string) => {
      events += text.split("\nevent: thread.updated").length - 1
      if (events >= wanted) done()
    })
  }
  return {
    delivered: (more: number) =>
      new Promise<void>((resolve) => {
        done = resolve
        wanted = events + more * count
      }),
    close: () => {
      for (const response of responses) response.destroy()
    }
  }
}

const measure = async (url: string, say: () => Promise<unknown>) => {
  const { close, delivered } = await readers(url)
  const before = process.cpuUsage()
  for (let i = 0; i < rounds; i++) {
    const all = delivered(1)
    await say()
    await all
  }
  const { system, user } = process.cpuUsage(before)
  close()
  return (user + system) / (rounds * count)
}

const bare = async () => {
  const open = new Set<ServerResponse>()
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" })
    response.write(": connected\n\n")
    open.add(response)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`
  const frame = `id: 1\nevent: thread.updated\ndata: ${"x".repeat(250)}\n\n`
  const micros = await measure(url, async () => {
    const bytes = Buffer.from(`\n${frame}`)
    for (const response of open) response.write(bytes)
  })
  server.closeAllConnections()
  server.close()
  return micros
}

await Effect.runPromise(
  live(({ client, cwd, url }) =>
    Effect.gen(function* () {
      const raw = yield* Effect.promise(bare)
      const { id } = yield* client.threads.create({
        payload: { provider: ProviderInstanceId.make("memory"), cwd }
      })
      const run = Effect.runPromiseWith(yield* Effect.context())
      let turn = 0
      const rename = () =>
        run(
          client.threads.update({ params: { id: ThreadId.make(id) }, payload: { title: `title ${++turn}` } })
        )
      const ours = yield* Effect.promise(() => measure(`${url}/api/threads/${id}/events`, rename))
      yield* Console.log(
        `${count} subscribers: bare ${raw.toFixed(1)} µs, ours ${ours.toFixed(1)} µs a delivery (both ends), ratio ${(ours / raw).toFixed(2)}`
      )
    })
  ).pipe(Effect.orDie)
)
