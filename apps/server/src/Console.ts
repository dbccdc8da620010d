import { Effect, FileSystem, Layer } from "effect"
import { HttpRouter, HttpServerResponse, HttpStaticServer } from "effect/http"
import { fileURLToPath } from "node:url"

// What was built lies beside what was built of us, also where both were packed.
const built = fileURLToPath(
  import.meta.url.endsWith(".ts")
    ? new URL("dist", import.meta.resolve("@rejoin/console/package.json"))
    : new URL("../../console/dist", import.meta.url)
)

/** Nothing but our own files runs there, talks to anything but us, or shows us within another page. */
const headers = {
  "content-security-policy":
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-cache"
}

const guarded = HttpRouter.middleware((handler) =>
  Effect.map(handler, (response) =>
    HttpServerResponse.setHeaders(
      // A name that no file can have, too long for one, is none of ours.
      response.status === 500 ? HttpServerResponse.empty({ status: 404 }) : response,
      headers
    )
  )
).layer

/** The same for the documentation, whose program stands in its page: it asks nobody but us. */
export const documentation = HttpRouter.middleware((handler) =>
  Effect.map(handler, (response) =>
    HttpServerResponse.setHeaders(response, {
      ...headers,
      "content-security-policy":
        "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src 'self' data:; font-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    })
  )
).layer

/** The page, where it was built; else the documentation of the API. */
export const layer = Layer.unwrap(
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    return (yield* Effect.orElseSucceed(fs.exists(`${built}/index.html`), () => false))
      ? HttpStaticServer.layer({ root: built }).pipe(Layer.provide(guarded))
      : HttpRouter.add("GET", "/", Effect.succeed(HttpServerResponse.redirect("/docs")))
  })
)
