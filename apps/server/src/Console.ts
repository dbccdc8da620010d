import { Effect, FileSystem, Layer } from "effect"
import { HttpRouter, HttpServerResponse, HttpStaticServer } from "effect/http"
import { fileURLToPath } from "node:url"

const built = fileURLToPath(new URL("dist", import.meta.resolve("@rejoin/console/package.json")))

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

/** The page, where it was built; else the documentation of the API. */
export const layer = Layer.unwrap(
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    return (yield* Effect.orElseSucceed(fs.exists(`${built}/index.html`), () => false))
      ? HttpStaticServer.layer({ root: built }).pipe(Layer.provide(guarded))
      : HttpRouter.add("GET", "/", Effect.succeed(HttpServerResponse.redirect("/docs")))
  })
)
