import { Effect } from "effect"
import { createServer, request, type ServerResponse } from "node:http"

export type Fault =
  | "none"
  | "unauthorized"
  | "server-error"
  | "page"
  | "bare-404"
  | "foreign-404"
  | "refused"
  | "lost-answer"

/** Stands before a real server and answers in its place as it is told, for everything about its sessions. */
export const faultyProxy = Effect.fn("faultyProxy")(function* (target: string) {
  const state: { fault: Fault } = { fault: "none" }
  const answer = (response: ServerResponse): boolean => {
    const json = { "content-type": "application/json" }
    switch (state.fault) {
      case "none":
      case "lost-answer":
        return false
      case "unauthorized":
        response.writeHead(401).end()
        return true
      case "server-error":
        response
          .writeHead(500, json)
          .end(JSON.stringify({ name: "UnknownError", data: { message: "Session not found" } }))
        return true
      case "page":
        response.writeHead(200, { "content-type": "text/html" }).end("<html>not found</html>")
        return true
      case "bare-404":
        response.writeHead(404).end("not found")
        return true
      case "foreign-404":
        response.writeHead(404, json).end(JSON.stringify({ error: { code: 404, name: "NotFoundError" } }))
        return true
      case "refused":
        response.destroy()
        return true
    }
  }
  const server = createServer((incoming, response) => {
    const own = incoming.url?.startsWith("/session/") === true
    if (own && answer(response)) return
    const { method, url } = incoming
    // What is said of the connection is between the two ends of one.
    const { connection: _, ...headers } = incoming.headers
    const { hostname, port } = new URL(target)
    const outgoing = request({
      hostname,
      port,
      path: url,
      method,
      headers: { ...headers, host: `${hostname}:${port}` }
    })
    outgoing.on("response", (from) => {
      // The prompt arrived, and its answer is lost on the way back.
      if (state.fault === "lost-answer" && url?.includes("/prompt_async") === true) {
        response.writeHead(502).end()
        return
      }
      const { connection: __, ...answered } = from.headers
      response.writeHead(from.statusCode ?? 502, answered)
      from.pipe(response)
    })
    outgoing.on("error", () => response.destroy())
    response.on("close", () => outgoing.destroy())
    incoming.pipe(outgoing)
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.void))
    }),
    () =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  )
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  return { url: `http://127.0.0.1:${port}`, state }
})
