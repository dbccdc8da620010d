import { Effect, type Scope, Stream } from "effect"
import type { AgentProcess } from "./AgentProcess.ts"

/** Hears an agent's lines in the scope. One that we stumble over must not make us deaf to those that follow. */
export const hearLines = (
  name: string,
  { lines }: Pick<AgentProcess, "lines">,
  receive: (line: string) => void
): Effect.Effect<void, never, Scope.Scope> =>
  lines.pipe(
    Stream.runForEach((line) =>
      Effect.sync(() => receive(line)).pipe(
        Effect.catchCause((cause) => Effect.logError(`A line of ${name}'s could not be handled.`, cause))
      )
    ),
    Effect.forkScoped,
    Effect.asVoid
  )
