import type { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import type { Capabilities } from "@rejoin/contracts/Provider"
import type { Brought } from "@rejoin/contracts/Trust"
import { Deferred, Effect, Scope, Exit } from "effect"
import type { AdapterEvent } from "../providers/AdapterEvent.ts"
import type { Probe } from "../plan/Probe.ts"
import type { Starting } from "../providers/ProviderAdapter.ts"

export interface UpstreamMessage {
  readonly id: string
  readonly input: string
}

export interface UpstreamSession {
  readonly id: string
  readonly title: string
  /** In ms since the epoch. */
  readonly createdAt: number
  directory: string
  mode: RuntimeMode | undefined
  model: string | null
  systemPrompt?: string | null
  /** Directories beside its own that it may edit. */
  beside?: ReadonlyArray<string>
  /** What of its directories it has loaded, by the key that it was given. */
  loaded?: string | null
  messages: Array<UpstreamMessage>
  activity: "idle" | "running" | "waiting"
}

export interface Connection {
  readonly scope: Scope.Closeable
  readonly turns: {
    dead: boolean
    readonly session: UpstreamSession
    readonly tell: (event: AdapterEvent) => void
  }
}

/** How the upstream misbehaves. Each is off until a test sets it. */
export interface Faults {
  /** What every probe answers instead of the truth. */
  probe?: Probe
  /** The act itself answers with this probe, once. */
  actProbe?: Probe
  /** The directory in which it starts a session, whatever it is asked. */
  directory?: string
  /** The mode that it puts in force, whatever it is given. */
  mode?: RuntimeMode
  /** It ignores the mode it is given and keeps the one it has. */
  ignoresMode?: boolean
  /** A fork comes without its history. */
  forgetsOnFork?: boolean
  /** Fails after a session was created upstream and before its start is complete. */
  failsAfterCreate?: boolean
  /** Does not answer a start until it is told to. */
  holdsStart?: Deferred.Deferred<void>
  /** How many sends fail, whether the message arrives all the same, and whether the failure proves that it did not. */
  failsSend?: { times: number; readonly arrives: boolean; readonly certain?: boolean }
  /** Undoing fails: the provider is away. */
  failsUndo?: boolean
  /** An interrupt is accepted and has no effect. */
  ignoresInterrupt?: boolean
  /** An interrupt ends its program; or comes too late, as the turn has just been completed. */
  onInterrupt?: "exit" | "complete"
  /** The turn that is interrupted ends at once, and the call that did it is answered later, as real agents do. */
  holdsInterrupt?: Deferred.Deferred<void>
  /** A connection takes this long to close. */
  holdsClose?: Deferred.Deferred<void>
  /**
   * Its model's limit, until then in ms: a turn fails, with its message kept in the conversation or not, or it is put off:
   * with the time, or in silence.
   */
  limit?: {
    readonly until: number
    readonly does: "fail" | "forget" | "put-off" | "silent"
    readonly scope?: string
  }
  /** It works in the background. */
  background?: boolean
}

/**
 * A provider's side as its own process and disk: it outlives the adapters that speak to it, as a real one outlives
 * a restart of ours. Its model answers with everything that it was told in the conversation, so that a test reads
 * from an answer what the model received.
 */
export class InMemoryUpstream {
  readonly sessions = new Map<string, UpstreamSession>()
  readonly faults: Faults = {}
  /** Sessions that were deleted, by id, in order. */
  readonly deleted: Array<string> = []
  readonly writes: Array<{ readonly directory: string; readonly path: string }> = []
  /** Messages that the model was asked to answer, in order. */
  readonly asked: Array<UpstreamMessage> = []
  /** Sessions on which a second one connected while a first was there (law 5). Nothing here forbids it. */
  readonly crowded: Array<string> = []
  /** What directories bring, by path; and whether it can be kept out. */
  readonly brings = new Map<string, ReadonlyArray<Brought>>()
  keepsOut = true
  storeId = "memory-store"
  capabilities: Capabilities = {
    runtimeModes: ["read-only", "approval-required", "auto-accept-edits", "full-access"],
    relocate: ["fork"],
    reconfigure: true,
    steer: true,
    interrupt: true,
    fork: ["whole", "turn"],
    restore: true,
    compose: true,
    additionalDirectories: true,
    systemPrompt: true,
    terminal: true
  }
  private readonly connections = new Set<Connection>()
  /** Real agents' ids are the same nowhere: of several on one database each begins with its own. */
  ids = 0

  /** Live connections: none must be left when every thread is stopped. */
  get open(): number {
    return this.connections.size
  }

  /** With an id of its own, unless it is one that comes back. */
  create(session: Omit<UpstreamSession, "id" | "activity">, id = `mem_${++this.ids}`): UpstreamSession {
    const created: UpstreamSession = { ...session, id, activity: "idle" }
    this.sessions.set(created.id, created)
    return created
  }

  delete(id: string): void {
    if (this.sessions.delete(id)) this.deleted.push(id)
  }

  /** What the model has been told in this session, oldest first. */
  history(id: string): ReadonlyArray<string> {
    return (this.sessions.get(id)?.messages ?? []).map(({ input }) => input)
  }

  connect(connection: Connection): void {
    const { id } = connection.turns.session
    if ([...this.connections].some(({ turns }) => turns.session.id === id)) this.crowded.push(id)
    this.connections.add(connection)
  }

  disconnect(connection: Connection): void {
    this.connections.delete(connection)
  }

  /** kill -9 of the provider: every connection breaks, work is cut off, what is stored stays. */
  readonly crash: Effect.Effect<void> = Effect.suspend(() => {
    for (const session of this.sessions.values()) session.activity = "idle"
    return Effect.forEach(
      [...this.connections],
      ({ scope, turns }) => {
        // What is killed tells nothing of how its turn ended.
        turns.dead = true
        return Scope.close(scope, Exit.void)
      },
      { discard: true }
    )
  })

  /** Tells every connection something, as a provider may at any time. */
  tell(event: AdapterEvent): void {
    for (const { turns } of this.connections) turns.tell(event)
  }

  /** Held here, where a test wants to look at a start that is under way. */
  readonly started = Deferred.makeUnsafe<void>()

  hold(start: Starting): Starting {
    const { holdsStart } = this.faults
    if (holdsStart === undefined) return start
    return Effect.andThen(
      Deferred.succeed(this.started, undefined),
      Effect.andThen(Deferred.await(holdsStart), start)
    )
  }
}
