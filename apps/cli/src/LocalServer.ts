import { proofOf } from "@rejoin/contracts/Proof"
import type { ServerFile } from "@rejoin/contracts/ServerFile"
import { Duration, Effect, Schema } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest, HttpClientResponse } from "effect/http"
import { ServerAway } from "./ServerAway.ts"

const Health = Schema.Struct({ status: Schema.Literal("ok"), proof: Schema.optionalKey(Schema.String) })

/** Whether a process is there; another user's counts. */
export const lives = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "EPERM"
  }
}

/**
 * Asks whoever listens to prove that it is the server that wrote our `server.json`, before it is told the token: a server
 * that was killed leaves its address, and anybody may listen there by now.
 */
export const prove = Effect.fn("prove")(function* ({ proofKey = "", url }: ServerFile) {
  const challenge = yield* Effect.sync(() => crypto.randomUUID())
  const away = new ServerAway({ message: `Nobody answers on ${url}.` })
  const { proof } = yield* HttpClient.execute(
    HttpClientRequest.get(`${url}/api/health`).pipe(HttpClientRequest.setUrlParam("challenge", challenge))
  ).pipe(
    Effect.flatMap(HttpClientResponse.schemaBodyJson(Health)),
    Effect.timeout(Duration.seconds(5)),
    Effect.mapError(() => away),
    Effect.provide(FetchHttpClient.layer)
  )
  const { port, protocol } = new URL(url)
  const asked = Number(port === "" ? (protocol === "https:" ? 443 : 80) : port)
  const expected = yield* Effect.promise(() => proofOf(proofKey, challenge, asked))
  if (proofKey !== "" && proof === expected) return
  return yield* new ServerAway({
    message: `What listens on ${url} is not the server of this data directory: it is not told the token.`,
    hint: "Set REJOIN_TOKEN to the token of the server that REJOIN_URL names, or start a server with `rejoin serve`."
  })
})
