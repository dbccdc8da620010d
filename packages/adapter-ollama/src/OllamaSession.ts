import { userMessage } from "@rejoin/agent-kit/ItemEvents"
import { known, unknown } from "@rejoin/contracts/Fact"
import { ProviderFailed, ProviderUnavailable } from "@rejoin/contracts/Errors"
import type { Failure } from "@rejoin/contracts/Failure"
import { ItemId, type MessageId } from "@rejoin/contracts/Ids"
import type { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import { now } from "@rejoin/contracts/Time"
import { newId } from "@rejoin/core/NewId"
import { AdapterEvent, type AdapterItem } from "@rejoin/core/providers/AdapterEvent"
import {
  type AdapterSession,
  SendFailure,
  type TurnInput,
  type Verified
} from "@rejoin/core/providers/ProviderAdapter"
import { Cause, Effect, Exit, FiberHandle, Queue, Stream } from "effect"
import { cutHistory, failureOf, tooLong } from "./OllamaFailures.ts"
import type { OllamaCursor } from "./OllamaCursor.ts"
import type { OllamaFiles, Stamp } from "./OllamaFiles.ts"
import { inputOf } from "./OllamaInput.ts"
import { leastTokens, type Line, messagesOf, type OllamaRecord } from "./OllamaRecord.ts"
import { type Wire, WireFailure, Written } from "./Wire.ts"

interface Options {
  readonly provider: string
  readonly cursor: OllamaCursor
  readonly files: OllamaFiles
  readonly wire: Wire
  readonly record: OllamaRecord
  readonly mode: RuntimeMode
  /** Of the thread; null leaves it to the instance. */
  readonly model: string | null
  /** The instance's own. */
  readonly usual: Effect.Effect<string, WireFailure>
}

/** In seconds. A server that wants more is not waited for in silence. */
const longestWait = 120
const tries = 3

/** The live connection to one conversation. There is nobody at the other end between turns. */
export const connect = Effect.fnUntraced(function* (options: Options) {
  const { cursor, files, provider, usual, wire } = options
  const id = cursor.providerSessionId
  const events = yield* Queue.unbounded<AdapterEvent>()
  const replying = yield* FiberHandle.make<void>()
  let { mode, model, record } = options
  let stamp: Stamp | undefined = yield* files.stamp(id)
  let working = false

  const tell = (event: AdapterEvent) => void Queue.offerUnsafe(events, event)

  /** On the disk first, and then in what the model is told. */
  const write = (line: Line) =>
    Effect.gen(function* () {
      yield* files.append(id, line)
      stamp = yield* files.stamp(id)
      if (line.type === "left-out") record = { ...record, leftOut: new Set([...record.leftOut, line.id]) }
      else if (line.type !== "conversation") record = { ...record, lines: [...record.lines, line] }
    })
  const leaveOut = (messageId: MessageId, why: string) =>
    Effect.flatMap(now, (at) => write({ type: "left-out", id: messageId, why, at }))

  /** What is written of one answer, told as it comes. */
  const answerOf = (reasoningId: string, messageId: string) => {
    const item = (kind: "reasoning" | "assistant-message", text: string, status: AdapterItem["status"]) => ({
      id: ItemId.make(kind === "reasoning" ? reasoningId : messageId),
      kind,
      status,
      text
    })
    const texts = { reasoning: "", "assistant-message": "" }
    let ended: Extract<Written, { readonly _tag: "Ended" }> | undefined
    const grow = (kind: keyof typeof texts, text: string) => {
      if (texts[kind] === "") tell(AdapterEvent.ItemStarted({ item: item(kind, "", "started") }))
      texts[kind] += text
      tell(AdapterEvent.ItemDelta({ itemId: item(kind, "", "started").id, field: "text", delta: text }))
    }
    return {
      take: Written.$match({
        Thought: ({ text }) => grow("reasoning", text),
        Said: ({ text }) => grow("assistant-message", text),
        Ended: (end) => void (ended = end)
      }),
      get said() {
        return texts["assistant-message"]
      },
      get begun() {
        return texts.reasoning !== "" || texts["assistant-message"] !== ""
      },
      get ended() {
        return ended
      },
      close: (status: AdapterItem["status"]) => {
        for (const kind of ["reasoning", "assistant-message"] as const)
          if (texts[kind] !== "") tell(AdapterEvent.ItemCompleted({ item: item(kind, texts[kind], status) }))
      }
    }
  }

  const settle = (status: "completed" | "failed" | "interrupted", output: string, error?: Failure) => {
    working = false
    tell(AdapterEvent.TurnSettled({ status, output, ...(error && { error }) }))
  }

  const reply = (messageId: MessageId, asked: string) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const answer = answerOf(yield* newId("itm"), yield* newId("itm"))
        let window: number | undefined
        const length = leastTokens(record, asked)
        const streaming = Effect.gen(function* () {
          window = yield* wire.windowOf(asked)
          if (window !== undefined && length >= window)
            return yield* new WireFailure({
              kind: "too-long",
              message: "",
              promptTokens: length,
              window
            })
          let attempt = 0
          yield* wire.chat({ model: asked, messages: messagesOf(record), window }).pipe(
            Stream.runForEach((written) => Effect.sync(() => answer.take(written))),
            Effect.tapError(({ kind, message, retryAfter = 0.5 * 2 ** attempt }) => {
              const passes = kind === "passing" && !answer.begun && retryAfter <= longestWait
              if (!passes || ++attempt >= tries) return Effect.void
              tell(AdapterEvent.Retrying({ attempt, message }))
              return Effect.sleep(retryAfter * 1000)
            }),
            Effect.retry({
              while: ({ kind, retryAfter = 0 }) =>
                kind === "passing" && !answer.begun && retryAfter <= longestWait && attempt < tries
            })
          )
          if (answer.ended === undefined)
            return yield* new WireFailure({
              kind: "passing",
              message: "The server ended its answer in the middle."
            })
          // Which window it really had, and whether it read all of it.
          const loaded = yield* wire.loadedWindow(asked)
          const { promptTokens } = answer.ended
          if (promptTokens !== undefined && promptTokens < length) return cutHistory(promptTokens, length)
          if (loaded !== undefined && window !== undefined && loaded < window)
            return cutHistory(loaded, window)
          return undefined
        })
        const exit = yield* Effect.exit(restore(streaming))
        const at = yield* now
        const { ended, said } = answer
        const keep = (partial: boolean) =>
          write({
            type: "assistant",
            text: said,
            partial,
            model: asked,
            ...(ended?.promptTokens !== undefined && { promptTokens: ended.promptTokens }),
            ...(ended?.answerTokens !== undefined && { answerTokens: ended.answerTokens }),
            at
          })
        if (ended !== undefined) {
          const { answerTokens = 0, promptTokens = 0 } = ended
          tell(AdapterEvent.Used({ inputTokens: promptTokens, outputTokens: answerTokens, costUsd: 0 }))
        }
        if (Exit.isSuccess(exit) && exit.value !== undefined) {
          answer.close("failed")
          yield* leaveOut(messageId, exit.value.message)
          return settle("failed", "", exit.value)
        }
        if (Exit.isSuccess(exit)) {
          yield* keep(ended?.cut === true)
          answer.close("completed")
          if (ended?.cut === true)
            tell(
              AdapterEvent.Warning({ message: "The answer is not whole: the window, or a limit, ended it." })
            )
          return settle("completed", said)
        }
        if (said !== "") yield* keep(true)
        answer.close("failed")
        if (Cause.hasInterruptsOnly(exit.cause)) return settle("interrupted", said)
        const failed = Cause.squash(exit.cause)
        if (!(failed instanceof WireFailure)) return yield* Effect.die(failed)
        if (failed.kind === "too-long") yield* leaveOut(messageId, "it does not fit into the window")
        const failure =
          failed.kind === "too-long"
            ? tooLong(provider, failed.promptTokens, failed.window ?? window)
            : failureOf(provider, asked, failed, Date.parse(at))
        return settle("failed", said, failure)
      }).pipe(
        Effect.catch(({ message }) =>
          Effect.sync(() => settle("failed", "", { _tag: "ProviderFailed", provider, message }))
        ),
        Effect.catchDefect((defect) =>
          Effect.sync(() =>
            settle("failed", "", { _tag: "ProviderFailed", provider, message: String(defect) })
          )
        )
      )
    )

  const refused = (message: string) =>
    new SendFailure({ failure: new ProviderFailed({ provider, message }), sent: "no" })
  const unsent = (why: WireFailure) => {
    const { message } = failureOf(provider, "", why, 0)
    return why.kind === "away"
      ? new SendFailure({ failure: new ProviderUnavailable({ provider, message }), sent: "no" })
      : refused(message)
  }

  const send = Effect.fn("Ollama.send")(function* ({ attachments, input, messageId }: TurnInput) {
    const { images, text, unfit } = inputOf(input, attachments)
    if (unfit.length > 0) return yield* refused(`A model cannot take ${unfit.join(", ")}.`)
    // One that names none stays with the model that answered it: the server's list may begin with another by now.
    const before = record.lines.findLast((line) => line.type === "assistant" && line.model !== "")
    const own = before?.type === "assistant" ? before.model : undefined
    const asked = model ?? own ?? (yield* Effect.mapError(usual, unsent))
    working = true
    yield* write({ type: "user", id: messageId, text, images, at: yield* now }).pipe(
      Effect.mapError((failure) => new SendFailure({ failure, sent: "maybe" }))
    )
    for (const event of userMessage(messageId, input)) tell(event)
    yield* FiberHandle.run(replying, reply(messageId, asked))
    return { cursor, kept: true }
  })

  const verified = (): Verified => ({
    // Nothing works anywhere: there are no tools, in any mode.
    directory: unknown("not-applicable"),
    mode: known(mode, "answer"),
    model: model === null ? unknown("not-told") : known(model, "answer"),
    history: "same",
    evidence: { tools: "none" }
  })

  const session: AdapterSession = {
    cursor,
    events: Stream.fromQueue(events),
    send,
    interrupt: FiberHandle.clear(replying),
    answer: () => Effect.void,
    reconfigure: (to) =>
      Effect.sync(() => {
        mode = to.mode
        model = to.model
        return verified()
      }),
    background: Effect.succeed(false)
  }
  return {
    session,
    verified,
    isWorking: () => working,
    interrupt: FiberHandle.clear(replying),
    state: () => ({ mode, model, record, stamp })
  }
})

export type OllamaConnection = Effect.Success<ReturnType<typeof connect>>
