import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import * as E from "../Errors.ts"
import { ProviderInstanceId } from "../Ids.ts"
import { Receipt } from "../Receipt.ts"
import { TerminalCommand } from "../Terminal.ts"
import { ModelName } from "../Text.ts"
import { Thread } from "../Thread.ts"
import { id, startFailures, thread } from "./Shared.ts"

export class SessionsGroup extends HttpApiGroup.make("sessions")
  .add(
    HttpApiEndpoint.post("interrupt", "/threads/:id/interrupt", {
      params: id,
      success: HttpApiSchema.NoContent,
      error: [...thread, E.CapabilityMissing, E.ProviderFailed, E.ProviderTimeout, E.ProviderUnavailable]
    }).annotate(OpenApi.Summary, "End the running turn, or the start that it waits for"),
    HttpApiEndpoint.post("stop", "/threads/:id/stop", {
      params: id,
      success: HttpApiSchema.NoContent,
      error: [...thread, E.SessionNotRunning]
    }).annotate(OpenApi.Summary, "End the session and the turns that wait for it; the binding stays"),
    HttpApiEndpoint.post("reset", "/threads/:id/reset", {
      params: id,
      success: Thread,
      error: [...thread, E.ThreadBusy]
    }).annotate(OpenApi.Summary, "Let the next turn start anew; the old session stays in the lineage"),
    HttpApiEndpoint.post("move", "/threads/:id/move", {
      params: id,
      payload: Schema.Struct({ cwd: Schema.NonEmptyString }),
      success: Receipt,
      error: [
        ...thread,
        E.ThreadBusy,
        E.StartInProgress,
        E.CwdNotAllowed,
        E.ProviderNotFound,
        ...startFailures
      ]
    }).annotate(OpenApi.Summary, "Carry the conversation into another directory, now"),
    HttpApiEndpoint.post("fork", "/threads/:id/fork", {
      params: id,
      payload: Schema.Struct({
        turnId: Schema.optionalKey(Schema.NonEmptyString),
        cwd: Schema.optionalKey(Schema.NonEmptyString),
        /** With another agent, which has the conversation as its own history. */
        provider: Schema.optionalKey(ProviderInstanceId),
        model: Schema.optionalKey(ModelName)
      }),
      success: Thread.pipe(HttpApiSchema.status(201)),
      error: [
        ...thread,
        E.TurnNotFound,
        E.ThreadBusy,
        E.StartInProgress,
        E.CwdNotAllowed,
        E.ProviderNotFound,
        E.InvalidInput,
        ...startFailures
      ]
    }).annotate(
      OpenApi.Summary,
      "A new thread that goes on from this conversation, as it is now or as it was after a turn"
    ),
    HttpApiEndpoint.post("handover", "/threads/:id/handover", {
      params: id,
      payload: Schema.Struct({
        provider: ProviderInstanceId,
        /** By default that agent's own. */
        model: Schema.optionalKey(ModelName),
        cwd: Schema.optionalKey(Schema.NonEmptyString)
      }),
      success: Receipt,
      error: [
        ...thread,
        E.ThreadBusy,
        E.StartInProgress,
        E.ProviderNotFound,
        E.InvalidInput,
        ...startFailures
      ]
    }).annotate(
      OpenApi.Summary,
      "Go on with another agent, which has what was said as its own history; the old session stays in the lineage"
    ),
    HttpApiEndpoint.post("release", "/threads/:id/release", {
      params: id,
      payload: Schema.Struct({
        /** Options of the agent's own command; those that would choose another session are left out. */
        flags: Schema.optionalKey(Schema.Array(Schema.String))
      }),
      success: TerminalCommand,
      error: [
        ...thread,
        E.ThreadBusy,
        E.StartInProgress,
        E.ProviderNotFound,
        E.InvalidInput,
        ...startFailures
      ]
    }).annotate(
      OpenApi.Summary,
      "Hand the session to the user's own terminal: checked, ended here, and how the agent's own interface opens it; or, where nothing was said, a new one"
    ),
    HttpApiEndpoint.post("claim", "/threads/:id/claim", {
      params: id,
      success: Receipt,
      error: [
        ...thread,
        E.ThreadBusy,
        E.StartInProgress,
        E.ProviderNotFound,
        E.InvalidInput,
        ...startFailures
      ]
    }).annotate(
      OpenApi.Summary,
      "Take the session back from the terminal, in whichever one it went on; refused while the agent runs there"
    ),
    HttpApiEndpoint.post("acceptHistory", "/threads/:id/accept-history", {
      params: id,
      success: Receipt,
      error: [...thread, E.ThreadBusy, E.StartInProgress, E.ProviderNotFound, ...startFailures]
    }).annotate(
      OpenApi.Summary,
      "Take what the agent has now as the thread's history, after turns were undone in its own interface"
    ),
    HttpApiEndpoint.post("restore", "/threads/:id/restore", {
      params: id,
      success: Receipt,
      error: [...thread, E.ThreadBusy, E.StartInProgress, E.ProviderNotFound, ...startFailures]
    }).annotate(
      OpenApi.Summary,
      "Bring a conversation that its agent lost back from our copy, into the store that the agent works on now"
    )
  )
  .annotateMerge(
    OpenApi.annotations({ title: "Sessions", description: "The live connection of a thread." })
  ) {}
