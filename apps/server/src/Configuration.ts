import { Config as FileConfig, type ProviderConfig } from "@rejoin/contracts/Config"
import { InvalidInput } from "@rejoin/contracts/Errors"
import { clampRetention } from "@rejoin/core/life/Retention"
import { defaults, type SettingsShape } from "@rejoin/core/Settings"
import {
  Config,
  Context,
  Duration,
  Effect,
  FileSystem,
  Layer,
  Option,
  Path,
  Redacted,
  Result,
  Schema
} from "effect"

export interface ConfigurationShape {
  readonly home: string
  readonly host: string
  /** 0 for any. */
  readonly port: number
  readonly token: Option.Option<Redacted.Redacted>
  readonly roots: ReadonlyArray<string>
  /** Names by which this server is reached, beside its own: `rejoin.example`, or `https://rejoin.example` behind a proxy. */
  readonly hosts: ReadonlyArray<string>
  /** A PostgreSQL database in place of the file in our own directory. */
  readonly database: Option.Option<Redacted.Redacted>
  /** Several servers on that database, which know one another by this secret; and where the others reach this one. */
  readonly cluster: Option.Option<{
    readonly secret: Redacted.Redacted
    readonly url: Option.Option<string>
  }>
  readonly file: FileConfig
}

/** Our own directory: `REJOIN_HOME`, or `.rejoin` in the user's home. */
export const homeDirectory = Config.all({
  user: Config.String("HOME").pipe(Config.withDefault("/")),
  home: Config.option(Config.NonEmptyString("REJOIN_HOME"))
}).pipe(Config.map(({ home, user }) => Option.getOrElse(home, () => `${user}/.rejoin`)))

/** A PostgreSQL database in place of a file in our own directory. */
export const databaseUrl = Config.option(Config.Redacted("REJOIN_DATABASE_URL"))

const isDatabaseUrl = (text: string): boolean =>
  Result.isSuccess(
    Result.try(() => {
      const { password, protocol, username } = new URL(text)
      if (!/^postgres(ql)?:$/.test(protocol) || username === "") throw new Error("it is another")
      return decodeURIComponent(password)
    })
  )

/** What the operator has set: the environment, and `config.json`. A bad file is an error that names the field. */
export class Configuration extends Context.Service<Configuration, ConfigurationShape>()(
  "@rejoin/server/Configuration"
) {
  static readonly layer = Layer.effect(
    Configuration,
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const { join } = yield* Path.Path
      const environment = yield* Config.all({
        user: Config.String("HOME").pipe(Config.withDefault("/")),
        home: homeDirectory,
        host: Config.NonEmptyString("REJOIN_HOST").pipe(Config.withDefault("127.0.0.1")),
        port: Config.Int("REJOIN_PORT").pipe(Config.withDefault(4319)),
        token: Config.option(Config.Redacted("REJOIN_TOKEN")),
        roots: Config.option(Config.NonEmptyString("REJOIN_ROOTS")),
        hosts: Config.option(Config.NonEmptyString("REJOIN_HOSTS")),
        database: databaseUrl,
        cluster: Config.option(Config.Redacted("REJOIN_CLUSTER_TOKEN")),
        machineUrl: Config.option(Config.NonEmptyString("REJOIN_MACHINE_URL")),
        config: Config.option(Config.NonEmptyString("REJOIN_CONFIG")),
        started: Config.option(Config.NonEmptyString("INIT_CWD"))
      }).pipe(
        Effect.mapError(
          (error) => new InvalidInput({ message: `The environment cannot be used: ${error.message}` })
        )
      )
      if (environment.port < 0 || environment.port > 65_535) {
        return yield* new InvalidInput({
          field: "REJOIN_PORT",
          message: "REJOIN_PORT is a port, or 0 for any."
        })
      }
      if (Option.exists(environment.database, (url) => !isDatabaseUrl(Redacted.value(url)))) {
        return yield* new InvalidInput({
          field: "REJOIN_DATABASE_URL",
          message: "REJOIN_DATABASE_URL is no address of a PostgreSQL database.",
          hint: "postgres://user:password@host:5432/database, where @, /, : and % in a password are written as %40, %2F, %3A and %25. Without it the threads are in a file of the data directory."
        })
      }
      yield* checkCluster(environment)
      const path = Option.getOrElse(environment.config, () => join(environment.home, "config.json"))
      // npm runs scripts in the package's directory and tells in INIT_CWD where it was called.
      const here = Option.getOrElse(environment.started, () => globalThis.process.cwd())
      const listed = Option.match(environment.roots, {
        onNone: () => [environment.user, here],
        onSome: (roots) => roots.split(":").filter((root) => root !== "")
      })
      const roots: Array<string> = []
      for (const root of listed) {
        const real = yield* fs.realPath(root).pipe(Effect.option)
        if (Option.isSome(real)) roots.push(real.value)
        else yield* Effect.logWarning(`The root ${root} does not exist and is left out.`)
      }
      const { database, home, host, port, token } = environment
      return Configuration.of({
        database,
        cluster: Option.map(environment.cluster, (secret) => ({ secret, url: environment.machineUrl })),
        home,
        host,
        port,
        token,
        roots,
        hosts: Option.match(environment.hosts, {
          onNone: () => [],
          onSome: (hosts) =>
            hosts
              .split(",")
              .map((name) => name.trim())
              .filter((name) => name !== "")
        }),
        file: yield* read(path, Option.isSome(environment.config))
      })
    })
  )
}

const shortest = 16

/** Several servers share a database, a secret, and the token of their users; and each is to be reached by the others. */
const checkCluster = ({
  cluster,
  database,
  host,
  machineUrl,
  token
}: {
  readonly cluster: Option.Option<Redacted.Redacted>
  readonly database: Option.Option<Redacted.Redacted>
  readonly host: string
  readonly machineUrl: Option.Option<string>
  readonly token: Option.Option<Redacted.Redacted>
}) => {
  const bad = (field: string, message: string, hint?: string) =>
    Effect.fail(new InvalidInput({ field, message, ...(hint && { hint }) }))
  if (Option.isNone(cluster)) return Effect.void
  if (Redacted.value(cluster.value).length < shortest)
    return bad("REJOIN_CLUSTER_TOKEN", `REJOIN_CLUSTER_TOKEN is a secret of ${shortest} characters or more.`)
  if (Option.isNone(database))
    return bad("REJOIN_DATABASE_URL", "Several servers need one PostgreSQL: REJOIN_DATABASE_URL says where.")
  if (Option.isNone(token))
    return bad("REJOIN_TOKEN", "Several servers let users in by one token: set REJOIN_TOKEN for all of them.")
  if (Option.exists(machineUrl, (url) => !URL.canParse(url) || !/^https?:/.test(url)))
    return bad("REJOIN_MACHINE_URL", "REJOIN_MACHINE_URL is an address: http://10.0.0.5:4319")
  if (Option.isNone(machineUrl) && /^(0\.0\.0\.0|::|\[::\])$/.test(host))
    return bad(
      "REJOIN_MACHINE_URL",
      "Where the other servers reach this one is not known.",
      "http://10.0.0.5:4319, in REJOIN_MACHINE_URL."
    )
  return Effect.void
}

const decode = Schema.decodeUnknownEffect(FileConfig, { errors: "all", onExcessProperty: "error" })

/** `["channels"][0]["urll"]` as `channels[0].urll`. */
const pathText = (path: string) => path.replaceAll(/\["([^"\]]*)"\]/g, ".$1").replace(/^\./, "")

/** A mistyped name, in the words of whoever wrote it. */
const plainly = (text: string) =>
  text
    .replaceAll(
      /Expected no excess property\s+at ((?:\[[^\]]*\])+)/g,
      (_, path: string) => `There is no setting ${pathText(path)}`
    )
    .replaceAll(
      /Expected object[^\n]*\s+at ((?:\[[^\]]*\])*\["(?:token|appToken|appSecret|verifyToken)"\])/g,
      (_, path: string) =>
        `${pathText(path)} is a secret: it names where that stands, { "file": "…" } or { "env": "…" }`
    )
    .replaceAll(/\s+at ((?:\[[^\]]*\])+)/g, (_, path: string) => `, at ${pathText(path)}`)

const read = Effect.fnUntraced(function* (path: string, named: boolean) {
  const fs = yield* FileSystem.FileSystem
  // Without a file there is nothing to read; one that was named and is not there is a mistake.
  if (!named && !(yield* fs.exists(path).pipe(Effect.orElseSucceed(() => false)))) return {}
  const bad = (message: string) => new InvalidInput({ field: path, message: `${path}: ${message}` })
  const text = yield* fs.readFileString(path).pipe(Effect.mapError((error) => bad(error.message)))
  const json = Result.try(() => JSON.parse(text) as unknown)
  if (Result.isFailure(json)) return yield* bad("it is not JSON")
  const config = yield* decode(json.success).pipe(Effect.mapError((error) => bad(plainly(error.message))))
  const ids = new Set<string>()
  for (const { id } of config.providers ?? []) {
    if (ids.has(id)) return yield* bad(`two providers have the id ${id}`)
    ids.add(id)
  }
  const channels = new Set<string>()
  for (const { id } of config.channels ?? []) {
    if (channels.has(id)) return yield* bad(`two channels have the id ${id}`)
    channels.add(id)
  }
  return config
})

const duration = (minutes: number | undefined, seconds: number | undefined, otherwise: Duration.Duration) => {
  if (seconds !== undefined) return Duration.seconds(seconds)
  return minutes === undefined ? otherwise : Duration.minutes(minutes)
}

/** The core's settings, from what the operator has set. `home` is the realpath of our own directory. */
export const settingsOf = ({ file, roots }: ConfigurationShape, home: string): SettingsShape => ({
  ...defaults,
  roots,
  forbidden: [home],
  scratch: `${home}/scratch`,
  notificationHooks: file.injectAgentNotificationHooks ?? defaults.notificationHooks,
  runtimeMode: file.defaults?.runtimeMode ?? defaults.runtimeMode,
  systemPrompt: file.defaults?.systemPrompt ?? defaults.systemPrompt,
  extraEnv: file.extraEnv ?? defaults.extraEnv,
  onLost: file.onLost ?? defaults.onLost,
  onWrongStore: file.onWrongStore ?? defaults.onWrongStore,
  onLimit: file.onLimit ?? defaults.onLimit,
  limitWait: duration(file.limitWaitMinutes, file.limitWaitSeconds, defaults.limitWait),
  onInterrupted: file.onInterrupted ?? defaults.onInterrupted,
  retryTimeout: duration(undefined, file.timeouts?.retrySeconds, defaults.retryTimeout),
  idle: duration(file.reaper?.idleMinutes, file.reaper?.idleSeconds, defaults.idle),
  sweep: duration(file.reaper?.sweepMinutes, file.reaper?.sweepSeconds, defaults.sweep),
  stall: duration(file.stallMinutes, file.stallSeconds, defaults.stall),
  // S17: where one of the two is given, or neither, the other has its default.
  retention: file.retention
    ? clampRetention({ sessions: file.retention.sessions ?? 5, days: file.retention.days ?? 30 })
    : null,
  transcripts: {
    keep: file.transcripts?.keep ?? defaults.transcripts.keep,
    maxBytes:
      file.transcripts?.maxMegabytes === undefined
        ? defaults.transcripts.maxBytes
        : file.transcripts.maxMegabytes * 1024 * 1024
  },
  callTimeout: duration(undefined, file.timeouts?.callSeconds, defaults.callTimeout),
  startTimeout: duration(undefined, file.timeouts?.startSeconds, defaults.startTimeout),
  sendTimeout: duration(undefined, file.timeouts?.sendSeconds, defaults.sendTimeout),
  interruptTimeout: duration(undefined, file.timeouts?.interruptSeconds, defaults.interruptTimeout),
  defer: duration(file.reaper?.deferMinutes, file.reaper?.deferSeconds, defaults.defer)
})

export const providersOf = ({ file }: ConfigurationShape): ReadonlyArray<ProviderConfig> | undefined =>
  file.providers
