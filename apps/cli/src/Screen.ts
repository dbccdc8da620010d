import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import { Clock, Duration, Effect, Ref, Schedule, Stdio, Terminal } from "effect"
import { nothing, tell } from "./Telling.ts"

const clear = "\r\u001b[2K"

/**
 * Shows a thread's events as they come. On a terminal a line below says for how long the agent has been silent; it
 * goes when there is something to read. Ends with the scope. Shows nothing where the output is for programs.
 */
export const screen = Effect.fnUntraced(function* (silent: boolean) {
  const terminal = yield* Terminal.Terminal
  const stdio = yield* Stdio.Stdio
  const told = yield* Ref.make(nothing)
  const since = yield* Ref.make(yield* Clock.currentTimeMillis)
  const isTerminal = yield* stdio.stdoutIsTerminal
  const write = (text: string) => Effect.ignore(terminal.display(text))

  // The line stands only where no text is in the middle of its own.
  const status = Effect.gen(function* () {
    const { length } = yield* Ref.get(told)
    const silence = (yield* Clock.currentTimeMillis) - (yield* Ref.get(since))
    if (length === 0 && silence >= 1000) yield* write(`${clear}… ${Math.floor(silence / 1000)} s`)
  })
  if (isTerminal && !silent) {
    yield* status.pipe(Effect.repeat(Schedule.spaced(Duration.seconds(1))), Effect.forkScoped)
    yield* Effect.addFinalizer(() => write(clear))
  }
  const show = Effect.fnUntraced(function* (event: RuntimeEvent) {
    yield* Ref.set(since, yield* Clock.currentTimeMillis)
    const before = yield* Ref.get(told)
    const [after, text] = tell(before, event)
    yield* Ref.set(told, after)
    if (silent || text === "") return
    yield* write(`${isTerminal && before.length === 0 ? clear : ""}${text}`)
  })
  return { show }
})
