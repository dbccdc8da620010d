import { Config, Effect, Option, Path } from "effect"
import { ServerAway } from "./ServerAway.ts"

/** The data directory: REJOIN_HOME, else `~/.rejoin`. */
export const home = Effect.gen(function* () {
  const { join } = yield* Path.Path
  const settings = yield* Config.all({
    user: Config.String("HOME").pipe(Config.withDefault("/")),
    home: Config.option(Config.NonEmptyString("REJOIN_HOME"))
  }).pipe(Effect.mapError(({ message }) => new ServerAway({ message })))
  return Option.getOrElse(settings.home, () => join(settings.user, ".rejoin"))
})
