import { Effect } from "effect"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

/** What a fake platform is asked, as it came. */
export interface Asked {
  readonly method: string
  readonly url: URL
  readonly headers: IncomingMessage["headers"]
  readonly body: Buffer
  /** Breaks the connection off: the answer is lost. */
  readonly drop: () => undefined
}

export type Answered =
  | { readonly status?: number; readonly json: unknown; readonly headers?: Record<string, string> }
  | { readonly status?: number; readonly bytes: Uint8Array }
  | undefined

const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const pieces: Array<Buffer> = []
  for await (const piece of request) pieces.push(piece as Buffer)
  return Buffer.concat(pieces)
}

const answer = (response: ServerResponse, given: Exclude<Answered, undefined>) => {
  if ("bytes" in given) return response.writeHead(given.status ?? 200).end(given.bytes)
  return response
    .writeHead(given.status ?? 200, { "content-type": "application/json", ...given.headers })
    .end(given.json === null ? "" : JSON.stringify(given.json))
}

/** A platform's server on loopback, for as long as the scope. Undefined leaves the connection as it is. */
export const listening = (
  handle: (asked: Asked) => Promise<Answered> | Answered,
  on?: (server: Server) => void
) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly server: Server; readonly url: string }>((resume) => {
      const server = createServer((request, response) => {
        void bodyOf(request)
          .then(async (body) => {
            const given = await handle({
              method: request.method ?? "GET",
              url: new URL(request.url ?? "/", "http://platform"),
              headers: request.headers,
              body,
              drop: () => {
                request.socket.destroy()
                return undefined
              }
            })
            if (given !== undefined && !request.socket.destroyed) answer(response, given)
          })
          .catch(() => request.socket.destroy())
      })
      on?.(server)
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        resume(Effect.succeed({ server, url: `http://127.0.0.1:${port}` }))
      })
    }),
    ({ server }) =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )

/** What goes wrong with the next calls: `before` they are done, or `after`, so that only the answer is lost. */
export interface Fault {
  readonly of: string
  readonly times?: number
  readonly status?: number
  readonly json?: unknown
  readonly lose?: "before" | "after"
}

export const makeFaults = () => {
  const faults: Array<{ -readonly [K in keyof Fault]: Fault[K] }> = []
  return {
    add: (fault: Fault) => void faults.push({ times: 1, ...fault }),
    clear: () => void faults.splice(0),
    of: (name: string): Fault | undefined => {
      const at = faults.findIndex(({ of, times = 0 }) => new RegExp(of).test(name) && times > 0)
      const fault = faults[at]
      if (fault === undefined) return undefined
      fault.times = (fault.times ?? 1) - 1
      if (fault.times === 0) faults.splice(at, 1)
      return fault
    }
  }
}
