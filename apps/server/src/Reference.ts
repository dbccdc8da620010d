import { Api } from "@rejoin/contracts/Api"
import { Effect, Layer, Scope } from "effect"
import { HttpRouter } from "effect/http"
import { HttpApiScalar } from "effect/http-api"
import { documentation } from "./Console.ts"

const path = "/docs"

const page = HttpApiScalar.layer(Api, { path, scalar: { withDefaultFonts: false } })

/** The API's description for people. Its program is 3 MB: it is read when somebody looks, and no start waits for it. */
export const layer = HttpRouter.use(
  Effect.fnUntraced(function* (router) {
    const scope = yield* Effect.scope
    const built = yield* Effect.cached(
      HttpRouter.toHttpEffect(page).pipe(Effect.provideService(Scope.Scope, scope))
    )
    yield* router.add("GET", path, Effect.flatten(built))
  })
).pipe(Layer.provide(documentation))
