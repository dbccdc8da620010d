import { Effect, Fiber, FileSystem, Queue, Stream, SubscriptionRef } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"

const settings = [
  "set -g default-terminal tmux-256color",
  "set -g default-size 120x40",
  "set -g escape-time 0",
  "set -g status off",
  // With us gone, what we started goes too.
  "set -g destroy-unattached on"
].join("\n")

const over = "rejoin-is-over"

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`

/**
 * Runs a command in a terminal as a person has it, and shows its screen: tmux, which tells through its control mode
 * when something was printed. The terminal is closed with the scope.
 */
export const makeTerminal = Effect.fn("makeTerminal")(function* (options: {
  readonly command: ReadonlyArray<string>
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}) {
  const fs = yield* FileSystem.FileSystem
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const directory = yield* fs.makeTempDirectoryScoped({ prefix: "rejoin-tmux-" })
  yield* fs.writeFileString(`${directory}/conf`, settings)
  // At its end it names the window, which nobody sees but us, and waits until the screen was looked at.
  const command = `${options.command.map(quoted).join(" ")}; echo $? > ${quoted(`${directory}/code`)}; printf '\\033]2;${over}\\007'; read -r _`
  const told = yield* Queue.unbounded<Uint8Array>()
  const encoder = new TextEncoder()
  const tmux = yield* spawner.spawn(
    ChildProcess.make(
      "tmux",
      ["-u", "-S", `${directory}/socket`, "-f", `${directory}/conf`, "-C", "new-session", command],
      {
        cwd: options.cwd,
        env: { LANG: "C.UTF-8", ...options.env },
        extendEnv: false,
        stdin: Stream.fromQueue(told),
        forceKillAfter: "5 seconds"
      }
    )
  )
  const screen = yield* SubscriptionRef.make("")
  const say = (line: string) => Queue.offer(told, encoder.encode(`${line}\n`))
  // Between %begin and %end stands what a command answers; only one of ours answers anything: what is on the screen.
  let answer: Array<string> | undefined
  const take = Effect.fnUntraced(function* (line: string) {
    if (line.startsWith("%begin ")) answer = []
    else if (line.startsWith("%end ") || line.startsWith("%error ")) {
      const lines = answer ?? []
      answer = undefined
      if (lines.length > 0) yield* SubscriptionRef.set(screen, lines.join("\n").trimEnd())
    } else if (answer !== undefined) answer.push(line)
    else if (line.startsWith("%output ")) {
      yield* say("capture-pane -p")
      if (line.includes(over)) yield* say("kill-server")
    }
  })
  const closed = yield* tmux.stdout.pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.runForEach(take),
    Effect.ignore,
    Effect.forkScoped
  )
  // What never comes is told with what stood there instead: a test's own limit would tell nothing.
  const bounded = (what: string) =>
    Effect.timeoutOrElse({
      duration: "2 minutes",
      orElse: () =>
        Effect.flatMap(SubscriptionRef.get(screen), (shown) =>
          Effect.die(`It never ${what}. It showed:\n${shown}`)
        )
    })
  const sees = (what: string, holds: (shown: string) => boolean) =>
    SubscriptionRef.changes(screen).pipe(Stream.filter(holds), Stream.runHead, Effect.asVoid, bounded(what))
  return {
    /** Waits until it stands on the screen. */
    shows: (text: string) => sees(`showed ${text}`, (shown) => shown.includes(text)),
    /** Waits until it does not. */
    lacks: (text: string) => sees(`was without ${text}`, (shown) => !shown.includes(text)),
    /** Strikes keys. */
    type: (text: string) =>
      say(`send-keys -H ${Array.from(encoder.encode(text), (byte) => byte.toString(16)).join(" ")}`),
    /** Something that must happen there, bounded. */
    bounded,
    /** Closes it under what runs there. */
    close: say("kill-server"),
    /** Waits for the command's end: its exit code, and what was seen last. */
    ended: Effect.gen(function* () {
      yield* bounded("ended")(Fiber.await(closed))
      const code = yield* Effect.orElseSucceed(fs.readFileString(`${directory}/code`), () => "-1")
      return { code: Number(code), out: yield* SubscriptionRef.get(screen) }
    })
  }
})
