import type { StoreFailed } from "@rejoin/contracts/Errors"
import type { FileSystem } from "effect"
import { Layer } from "effect"
import { ConversationSource } from "./ConversationSource.ts"
import { LiveSessions } from "./LiveSessions.ts"
import { ProviderCall } from "./ProviderCall.ts"
import { ProviderRegistry } from "./ProviderRegistry.ts"
import { ProviderService } from "./ProviderService.ts"
import { Recovery } from "./Recovery.ts"
import { Retention } from "./Retention.ts"
import { SessionDirectory } from "./SessionDirectory.ts"
import { SessionEnd } from "./SessionEnd.ts"
import { SessionPump } from "./SessionPump.ts"
import { SessionReaper } from "./SessionReaper.ts"
import { SessionStart } from "./SessionStart.ts"
import { TerminalHost } from "./TerminalHost.ts"
import { Terminals } from "./Terminals.ts"
import { ThreadEvents } from "./ThreadEvents.ts"
import { Threads } from "./Threads.ts"
import type { ThreadStore } from "./ThreadStore.ts"
import { TurnControl } from "./TurnControl.ts"
import { TurnDispatcher } from "./TurnDispatcher.ts"
import { TurnJournal } from "./TurnJournal.ts"
import { WorkingDirectory } from "./WorkingDirectory.ts"

export type Core =
  | LiveSessions
  | ProviderRegistry
  | ProviderService
  | Recovery
  | Retention
  | SessionReaper
  | ThreadEvents
  | Threads
  | TurnJournal

/** Everything but the reaper's clock, the directories and the terminals: for tests that sweep by hand. */
export const layerManual = Recovery.layer.pipe(
  Layer.provideMerge(ProviderService.layer),
  Layer.provideMerge(TurnControl.layer),
  Layer.provideMerge(Layer.merge(SessionReaper.layerManual, Retention.layerManual)),
  Layer.provideMerge(Layer.merge(TurnDispatcher.layer, Threads.layer)),
  Layer.provideMerge(SessionStart.layer),
  Layer.provideMerge(Terminals.layer),
  Layer.provideMerge(Layer.mergeAll(SessionPump.layer, SessionDirectory.layer, ConversationSource.layer)),
  Layer.provideMerge(SessionEnd.layer),
  Layer.provideMerge(TurnJournal.layer),
  Layer.provideMerge(
    Layer.mergeAll(ThreadEvents.layer, LiveSessions.layer, ProviderCall.layer, ProviderRegistry.layer)
  )
)

/**
 * The core as a program embeds it: give it a ThreadStore and a file system, register adapters with
 * ProviderRegistry, run Recovery once, then use Threads and ProviderService.
 */
export const layer: Layer.Layer<Core, StoreFailed, ThreadStore | FileSystem.FileSystem> = Layer.merge(
  SessionReaper.layer,
  Retention.layer
).pipe(
  Layer.provideMerge(layerManual),
  Layer.provide(Layer.merge(WorkingDirectory.layer, TerminalHost.layer))
)
