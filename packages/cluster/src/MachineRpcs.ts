import * as Requests from "@rejoin/contracts/api/Requests"
import { startFailures } from "@rejoin/contracts/api/Shared"
import * as E from "@rejoin/contracts/Errors"
import { ProviderInstanceId, RequestId, ThreadId, TurnId } from "@rejoin/contracts/Ids"
import { Item } from "@rejoin/contracts/Item"
import { Receipt } from "@rejoin/contracts/Receipt"
import { Answer, PendingRequest } from "@rejoin/contracts/Request"
import { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import { TerminalCommand } from "@rejoin/contracts/Terminal"
import { Thread } from "@rejoin/contracts/Thread"
import { TurnRecord } from "@rejoin/core/store/Records"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"

/** Under which a machine is reached by the others, on its own port. */
export const path = "/cluster"

/** Whatever an operation of a thread can fail with: the other machine runs the very same one. */
const error = Schema.Union([
  ...startFailures,
  E.IdempotencyConflict,
  E.InvalidInput,
  E.ProviderNotFound,
  E.RequestAnswered,
  E.RequestNotFound,
  E.SessionNotRunning,
  E.StartInProgress,
  E.StoreFailed,
  E.ThreadBusy,
  E.ThreadNotFound,
  E.TurnNotFound
])

const id = ThreadId
const from = Schema.UndefinedOr(Schema.Struct({ device: Schema.String, mode: RuntimeMode }))
const handOver = {
  model: Schema.optional(Schema.String),
  cwd: Schema.optional(Schema.String)
}

/** What only the machine can do that runs a thread: each as the service of the same name does it there. */
export class MachineRpcs extends RpcGroup.make(
  Rpc.make("send", { payload: { id, turn: Requests.SendTurn, from }, success: TurnRecord, error }),
  Rpc.make("interrupt", { payload: { id }, error }),
  Rpc.make("interruptTurn", { payload: { id, turnId: TurnId }, error }),
  Rpc.make("answer", { payload: { id, requestId: RequestId, answer: Answer }, error }),
  Rpc.make("start", { payload: { id }, success: Receipt, error }),
  Rpc.make("stop", { payload: { id }, error }),
  Rpc.make("reset", { payload: { id }, error }),
  Rpc.make("move", { payload: { id, cwd: Schema.String }, success: Receipt, error }),
  Rpc.make("fork", {
    payload: {
      id,
      to: Schema.Struct({
        turnId: Schema.optional(TurnId),
        provider: Schema.optional(ProviderInstanceId),
        ...handOver
      })
    },
    success: Thread,
    error
  }),
  Rpc.make("release", {
    payload: { id, flags: Schema.Array(Schema.String) },
    success: TerminalCommand,
    error
  }),
  Rpc.make("claim", { payload: { id }, success: Receipt, error }),
  Rpc.make("acceptHistory", { payload: { id }, success: Receipt, error }),
  Rpc.make("restore", { payload: { id }, success: Receipt, error }),
  Rpc.make("handOver", {
    payload: { id, to: Schema.Struct({ provider: ProviderInstanceId, ...handOver }) },
    success: Receipt,
    error
  }),
  Rpc.make("update", { payload: { id, change: Requests.UpdateThread }, error }),
  Rpc.make("remove", { payload: { id, unused: Schema.Boolean }, error }),
  Rpc.make("get", { payload: { id }, success: Thread, error }),
  Rpc.make("items", {
    payload: { id, before: Schema.optional(Schema.String), limit: Schema.Int },
    success: Schema.Array(Item),
    error
  }),
  Rpc.make("snapshot", {
    payload: { id, items: Schema.Int },
    success: Schema.Struct({
      thread: Thread,
      requests: Schema.Array(PendingRequest),
      items: Schema.Array(Item)
    }),
    error
  })
) {}
