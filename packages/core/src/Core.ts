import type { StoreFailed } from "@rejoin/contracts/Errors"
import type { FileSystem } from "effect"
import { Layer } from "effect"
import { BundleSpool } from "./bundle/BundleSpool.ts"
import { ConversationSource } from "./threads/ConversationSource.ts"
import { LiveSessions } from "./sessions/LiveSessions.ts"
import * as LostSessions from "./sessions/LostSessions.ts"
import { ProviderCall } from "./providers/ProviderCall.ts"
import { ProviderRegistry } from "./providers/ProviderRegistry.ts"
import { ProviderService } from "./ProviderService.ts"
import { Draining } from "./life/Draining.ts"
import { Recovery } from "./life/Recovery.ts"
import { Retention } from "./life/Retention.ts"
import * as SearchFilling from "./search/SearchFilling.ts"
import { SessionDirectory } from "./sessions/SessionDirectory.ts"
import { SessionEnd } from "./sessions/SessionEnd.ts"
import { SessionPump } from "./sessions/SessionPump.ts"
import { SessionReaper } from "./sessions/SessionReaper.ts"
import { SessionStart } from "./sessions/SessionStart.ts"
import { StartIntents } from "./sessions/StartIntents.ts"
import { TerminalHost } from "./terminal/TerminalHost.ts"
import { Terminals } from "./terminal/Terminals.ts"
import { ThreadEvents } from "./events/ThreadEvents.ts"
import { Threads } from "./threads/Threads.ts"
import type { ThreadStore } from "./store/ThreadStore.ts"
import { TranscriptKeeper } from "./transcripts/TranscriptKeeper.ts"
import { DeferredTurns } from "./turns/DeferredTurns.ts"
import { GoingOn } from "./turns/GoingOn.ts"
import { UsageFacts } from "./turns/UsageFacts.ts"
import { TurnControl } from "./turns/TurnControl.ts"
import { TurnDispatcher } from "./turns/TurnDispatcher.ts"
import { TurnJournal } from "./turns/TurnJournal.ts"
import { TurnRun } from "./turns/TurnRun.ts"
import { Rules } from "./rules/Rules.ts"
import { RepoTrust } from "./trust/RepoTrust.ts"
import { WorkingDirectory } from "./threads/WorkingDirectory.ts"

export type Core =
  | DeferredTurns
  | Draining
  | LiveSessions
  | ProviderRegistry
  | ProviderService
  | Recovery
  | RepoTrust
  | Retention
  | Rules
  | SessionReaper
  | ThreadEvents
  | Threads
  | TranscriptKeeper
  | TurnDispatcher
  | TurnJournal
  | UsageFacts

/** Everything but the reaper's clock, the directories and the terminals: for tests that sweep by hand. */
export const layerManual = Layer.merge(Recovery.layer, Draining.layer).pipe(
  Layer.provideMerge(ProviderService.layer),
  Layer.provideMerge(TurnControl.layer),
  Layer.provideMerge(Layer.merge(SessionReaper.layerManual, Retention.layerManual)),
  Layer.provideMerge(Layer.merge(TurnDispatcher.layer, Threads.layer)),
  Layer.provideMerge(TurnRun.layer),
  Layer.provideMerge(SessionStart.layer),
  Layer.provideMerge(Terminals.layer),
  Layer.provideMerge(RepoTrust.layer),
  Layer.provideMerge(
    Layer.mergeAll(SessionPump.layer, SessionDirectory.layer, StartIntents.layer, ConversationSource.layer)
  ),
  Layer.provideMerge(LostSessions.layer),
  Layer.provideMerge(Layer.mergeAll(SessionEnd.layer, Rules.layer, DeferredTurns.layerManual)),
  Layer.provideMerge(Layer.mergeAll(TurnJournal.layer, TranscriptKeeper.layer, GoingOn.layer)),
  Layer.provideMerge(
    Layer.mergeAll(
      ThreadEvents.layer,
      LiveSessions.layer,
      ProviderCall.layer,
      ProviderRegistry.layer,
      UsageFacts.layer
    )
  )
)

/**
 * The core as a program embeds it: give it a ThreadStore and a file system, register adapters with
 * ProviderRegistry, run Recovery once, then use Threads and ProviderService.
 */
export const layer: Layer.Layer<Core, StoreFailed, ThreadStore | FileSystem.FileSystem> = Layer.mergeAll(
  SessionReaper.layer,
  Retention.layer,
  DeferredTurns.layer,
  SearchFilling.layer
).pipe(
  Layer.provideMerge(layerManual),
  Layer.provide(Layer.mergeAll(WorkingDirectory.layer, TerminalHost.layer, BundleSpool.layer))
)
