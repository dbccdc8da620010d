import { keepLoopbackDirect } from "@rejoin/client/Loopback"
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, Logger, Schema } from "effect"
import { parseArgs } from "node:util"
import { examine, treat } from "./doctor/Doctor.ts"
import { reportText } from "./doctor/Text.ts"
import * as Failing from "./Failing.ts"

keepLoopbackDirect(process.env)

// `rejoin doctor [--fix] [--json]`: what is wrong, in plain words, and what --fix would do. Exits with 1 where
// something is left that is wrong.

class Unhealthy extends Schema.TaggedError<Unhealthy>()("Unhealthy", {}) {}

const { values } = parseArgs({
  options: { fix: { type: "boolean", default: false }, json: { type: "boolean", default: false } }
})
const onTerminal = !values.json && process.stderr.isTTY
const show = (text: string) => Effect.sync(() => process.stderr.write(`\r\u001b[K${text}`))

const doctor = Effect.gen(function* () {
  const examination = yield* examine((done, of) =>
    onTerminal ? show(done === of ? "" : `Looking at thread ${done} of ${of}`) : Effect.void
  )
  const findings = values.fix
    ? yield* treat(examination)
    : examination.findings.map((finding) => ({ ...finding, fixed: false }))
  const { held, ...told } = examination
  yield* Console.log(
    values.json
      ? JSON.stringify({
          ...told,
          heldBy: held?._tag === "DataDirectoryHeld" ? held.pid : null,
          findings: findings.map(({ fix, ...finding }) => ({ ...finding, fix: fix?.does }))
        })
      : reportText(examination, findings)
  )
  if (findings.some(({ fixed }) => !fixed)) return yield* new Unhealthy()
})

doctor.pipe(
  Effect.scoped,
  Effect.tapCause((cause) =>
    cause.reasons.some((reason) => reason._tag === "Fail" && reason.error instanceof Unhealthy)
      ? Effect.void
      : Failing.tell(cause)
  ),
  Effect.provide([NodeServices.layer, Logger.layer([])]),
  NodeRuntime.runMain({ disableErrorReporting: true, teardown: Failing.exitCode })
)
