import { ProviderRegistry } from "@rejoin/core/providers/ProviderRegistry"
import type { ProviderInfo } from "@rejoin/contracts/Provider"
import type { ServerFile } from "@rejoin/contracts/ServerFile"
import { recallName } from "@rejoin/model-server/Recall"
import { DataDirectory } from "@rejoin/persistence/DataDirectory"
import { Console, Effect, FileSystem, Layer } from "effect"
import { HttpServer } from "effect/http"
import { Secure } from "./Secure.ts"
import { AccessCodes, linkOf } from "./AccessCodes.ts"
import { Configuration } from "./Configuration.ts"
import { Token } from "./Token.ts"
import { version } from "./version.ts"

/** Which model answers, where its conversations are, and which program it is. */
const told = ({ authenticated, dataDirectory, model, program }: ProviderInfo): string => {
  const name = model === "recall/recall" ? recallName : model
  const account = authenticated === false ? "no account was found: log in with the agent itself" : null
  const lines = { model: name, data: dataDirectory, program, account }
  return Object.entries(lines)
    .flatMap(([what, value]) => (value === null ? [] : [`\n             ${what.padEnd(8)}${value}`]))
    .join("")
}

/** Says where we are: to people on the terminal, to programs in `server.json`, for as long as we are here. */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const { address } = yield* HttpServer.HttpServer
    const { file, host, roots } = yield* Configuration
    const { path, serverFile } = yield* DataDirectory
    const token = yield* Token
    const registry = yield* ProviderRegistry
    const url = `http://${host}:${"port" in address ? address.port : 0}`
    const content: ServerFile = { pid: process.pid, url, version, proofKey: token.proofKey, roots }
    // Whole or not at all: who reads half of it would take it for nobody's. One that an earlier version left may be read
    // by others.
    const written = `${serverFile}.new`
    yield* Effect.ignore(fs.remove(written))
    yield* fs.writeFileString(written, `${JSON.stringify(content)}\n`, { mode: 0o600 })
    yield* fs.rename(written, serverFile)
    yield* Effect.addFinalizer(() => Effect.ignore(fs.remove(serverFile)))

    // Their programs are asked for their versions: who speaks to us already does not wait for that.
    const providers = yield* Effect.flatMap(
      registry.list,
      Effect.forEach(({ info }) => info, { concurrency: "unbounded" })
    )
    for (const { capabilities: _, ...about } of providers) yield* Effect.logInfo("A provider.", about)
    // A link lets its first user in: it is for who sits at the terminal, and for no journal.
    const page = process.stdout.isTTY
      ? linkOf(url, (yield* Effect.flatMap(AccessCodes, ({ issue }) => issue())).code)
      : `${url} (rejoin console prints a link that lets you in)`
    const tls = yield* Effect.flatMap(Secure, ({ listening }) => listening)
    const ready = providers.find(({ status }) => status === "ready")
    const tokenSource = token.file ?? "the environment (REJOIN_TOKEN)"
    const bearer = token.file === undefined ? "$REJOIN_TOKEN" : `$(cat ${token.file})`
    yield* Console.log(
      [
        `Rejoin ${version} listens on ${url}`,
        `  page       ${page}`,
        ...(tls === undefined
          ? []
          : [`  TLS        port ${tls.port}, for ${tls.names.join(", ") || "names in REJOIN_HOSTS"}`]),
        `  data       ${path}`,
        `  token      ${tokenSource}`,
        ...providers.map((info) =>
          info.status === "ready"
            ? `  provider   ${info.id} (${info.driver} ${info.version ?? ""})${told(info)}`
            : `  provider   ${info.id} cannot be used: ${info.reason ?? "unknown"}`
        ),
        ...(file.channels ?? []).map(
          ({ id, kind, run }) =>
            `  channel    ${id} (${kind})${run === "beside" ? ": rejoin channel serve runs it" : ": rejoin channel list tells how it is"}`
        ),
        "",
        "Try it (a new thread, a turn, its answer):",
        `  auth="Authorization: Bearer ${bearer}" json="Content-Type: application/json" api=${url}/api`,
        `  id=$(curl -s -H "$auth" -H "$json" $api/threads -d '{"provider":"${ready?.id ?? "opencode"}","cwd":"'"$PWD"'"}' | grep -o 'thr_[a-z0-9]*' | head -1)`,
        `  turn=$(curl -s -H "$auth" -H "$json" $api/threads/$id/turns -d '{"input":"My name is Ada."}' | grep -o 'trn_[a-z0-9]*' | head -1)`,
        `  curl -s -H "$auth" "$api/threads/$id/turns/$turn?wait=60"`,
        `The whole interface: ${url}/docs. The story in a minute: npm run demo.`,
        ""
      ].join("\n")
    )
  })
)
