import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import { Clock, Console, Duration, Effect, Ref, Schedule, Stdio, Stream, Terminal } from "effect"
import { visible } from "@rejoin/shown/Visible"
import { styled } from "./Style.ts"
import { nothing, tell, type Telling } from "./Telling.ts"

const clear = "\r\u001b[2K"

const ending = new Set(["turn.completed", "turn.failed", "turn.interrupted"])

/**
 * Shows a thread's events as they come: the answer on the output, what is around it beside it, or, where somebody
 * watches, all on the output. On a terminal a line below says for how long the agent that works has been silent; it
 * goes when there is something to read. Ends with the scope. Shows nothing where the output is for programs.
 */
export const screen = Effect.fnUntraced(function* (options: {
  readonly silent: boolean
  readonly watching: boolean
  /** Of many threads it is said who speaks. */
  readonly many?: boolean
}) {
  const { many = false, silent, watching } = options
  const terminal = yield* Terminal.Terminal
  const stdio = yield* Stdio.Stdio
  const told = yield* Ref.make(nothing)
  let speaker: string | undefined
  const since = yield* Ref.make(yield* Clock.currentTimeMillis)
  const works = yield* Ref.make(!watching)
  // While something is asked at the prompt the screen is the prompt's, and what comes is kept.
  const kept = yield* Ref.make<ReadonlyArray<Telling> | undefined>(undefined)
  const isTerminal = yield* stdio.stdoutIsTerminal
  const out = (text: string) => Effect.ignore(terminal.display(text))
  const beside = (text: string) =>
    watching
      ? out(text)
      : Effect.ignore(Stream.run(Stream.encodeText(Stream.make(text)), stdio.stderr({ endOnDone: false })))
  const showsStatus = isTerminal && !silent

  // The line stands only where no text is in the middle of its own.
  const status = Effect.gen(function* () {
    const { within } = yield* Ref.get(told)
    const silence = (yield* Clock.currentTimeMillis) - (yield* Ref.get(since))
    const free = within === undefined && (yield* Ref.get(kept)) === undefined && (yield* Ref.get(works))
    if (free && silence >= 1000) yield* out(`${clear}… ${Math.floor(silence / 1000)} s`)
  })
  const clearStatus = Effect.suspend(() => (showsStatus ? out(clear) : Effect.void))
  if (showsStatus) {
    yield* status.pipe(Effect.repeat(Schedule.spaced(Duration.seconds(1))), Effect.forkScoped)
    yield* Effect.addFinalizer(() =>
      Effect.flatMap(Ref.get(told), ({ within }) => (within === undefined ? out(clear) : Effect.void))
    )
  }
  const write = Effect.fnUntraced(function* ({ answer, around, tone }: Telling) {
    if (answer !== "") yield* out(answer)
    if (around !== "") yield* beside(styled(around, tone, isTerminal))
  })
  const show = Effect.fnUntraced(function* (event: RuntimeEvent) {
    yield* Ref.set(since, yield* Clock.currentTimeMillis)
    if (event.type === "turn.started") yield* Ref.set(works, true)
    if (watching && ending.has(event.type)) {
      yield* Ref.set(works, false)
      yield* clearStatus
    }
    const before = yield* Ref.get(told)
    const [after, telling] = tell(before, event, watching)
    yield* Ref.set(told, after)
    if (silent || (telling.answer === "" && telling.around === "")) return
    if (many && speaker !== event.threadId) {
      yield* clearStatus
      yield* out(`${before.within === undefined ? "" : "\n"}── ${event.threadId}\n`)
      speaker = event.threadId
      // Another thread's answer does not stand in this line any more.
      const [own, again] = tell({ ...before, within: undefined }, event, watching)
      yield* Ref.set(told, own)
      return yield* write(again)
    }
    const waiting = yield* Ref.get(kept)
    if (waiting !== undefined) return yield* Ref.set(kept, [...waiting, telling])
    if (before.within === undefined) yield* clearStatus
    yield* write(telling)
  })
  /** A word of ours, in a line of its own. */
  const note = Effect.fnUntraced(function* (text: string) {
    const { within } = yield* Ref.get(told)
    if (within === undefined) yield* clearStatus
    yield* Console.error(visible(within === undefined || silent ? text : `\n${text}`))
  })
  /** Asks something at the prompt; what comes meanwhile is shown after it. */
  const asking = <A, E, R>(question: Effect.Effect<A, E, R>) =>
    Effect.acquireUseRelease(
      Effect.andThen(clearStatus, Ref.set(kept, [])),
      () => question,
      () =>
        Effect.gen(function* () {
          const waiting = (yield* Ref.getAndSet(kept, undefined)) ?? []
          yield* Ref.set(since, yield* Clock.currentTimeMillis)
          yield* Effect.forEach(waiting, write)
        })
    )
  return { show, note, asking }
})

export type Screen = Effect.Success<ReturnType<typeof screen>>
