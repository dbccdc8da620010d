import { Effect, Terminal } from "effect"
import { createInterface } from "node:readline"

/** In ms: lines that come closer together than that were pasted, and are one message. */
const together = 30

/** What was said here before, the last first: Up brings it back. */
let history: Array<string> = []

/** What was typed before something was asked: it answers nothing, and stands in the next message. */
let before = ""

/** Takes away what was typed when nobody asked for it: no answer to what is asked next. */
export const setAside: Effect.Effect<void> = Effect.suspend(() => {
  const { stdin } = process
  if (!stdin.isTTY) return Effect.void
  const hear = (typed: Buffer) => {
    before += typed.toString()
  }
  return Effect.acquireUseRelease(
    Effect.sync(() => {
      stdin.setRawMode(true)
      stdin.on("data", hear)
      stdin.resume()
    }),
    () => Effect.sleep(together),
    () =>
      Effect.sync(() => {
        stdin.removeListener("data", hear)
        stdin.pause()
        stdin.setRawMode(false)
      })
  )
})

/**
 * A message at the prompt. What is pasted is one message, however many lines it has; what was typed while nobody asked is
 * not lost. Fails with QuitError on Ctrl-C and Ctrl-D.
 */
export const readMessage = (prompt: string): Effect.Effect<string, Terminal.QuitError> =>
  Effect.suspend(() => {
    const typed = before
    before = ""
    return read(prompt, { history, typed, keep: true })
  })

/** One line, that is no message. */
export const readAnswer = (prompt: string): Effect.Effect<string, Terminal.QuitError> =>
  read(prompt, { history: [], typed: "", keep: false })

const read = (
  prompt: string,
  own: { readonly history: Array<string>; readonly typed: string; readonly keep: boolean }
): Effect.Effect<string, Terminal.QuitError> =>
  // A prompt of Effect's lets go of the terminal 10 ms after its end, and would take it from us then (NodeTerminal.ts).
  Effect.andThen(Effect.sleep(together), typedLine(prompt, own))

const typedLine = (
  prompt: string,
  own: { readonly history: Array<string>; readonly typed: string; readonly keep: boolean }
): Effect.Effect<string, Terminal.QuitError> =>
  Effect.callback<string, Terminal.QuitError>((resume) => {
    const reading = createInterface({
      input: process.stdin,
      output: process.stdout,
      terminal: true,
      history: own.history,
      prompt
    })
    const lines: Array<string> = []
    let waiting: ReturnType<typeof setTimeout> | undefined
    let ended = false
    const close = () => {
      ended = true
      clearTimeout(waiting)
      reading.close()
    }
    const end = (result: Effect.Effect<string, Terminal.QuitError>) => {
      close()
      resume(result)
    }
    const leave = () => {
      if (ended) return
      process.stdout.write("\n")
      end(Effect.fail(new Terminal.QuitError()))
    }
    if (own.keep)
      reading.on("history", (kept) => {
        history = kept
      })
    reading.on("line", (line) => {
      lines.push(line)
      clearTimeout(waiting)
      // A last line without an end is still being written.
      const done = () => {
        if (reading.line === "") end(Effect.succeed(lines.join("\n")))
      }
      waiting = setTimeout(done, together)
    })
    reading.on("SIGINT", () => {
      // As a shell does: what was half said goes first.
      if (reading.line === "" && lines.length === 0) return leave()
      lines.length = 0
      clearTimeout(waiting)
      reading.write(null, { ctrl: true, name: "e" })
      reading.write(null, { ctrl: true, name: "u" })
    })
    reading.on("close", leave)
    reading.prompt()
    if (own.typed !== "") reading.write(own.typed)
    return Effect.sync(close)
  })
