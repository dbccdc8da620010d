import { HttpApi, OpenApi } from "effect/http-api"
import { documented } from "./api/Documentation.ts"
import { Authorization, SchemaErrors, StoreAway } from "./api/Guards.ts"
import { ThreadsGroup } from "./api/Threads.ts"
import { TurnsGroup } from "./api/Turns.ts"
import { SessionsGroup } from "./api/Sessions.ts"
import { ProvidersGroup } from "./api/Providers.ts"
import { DirectoriesGroup } from "./api/Directories.ts"
import { SearchGroup } from "./api/Search.ts"
import { RulesGroup } from "./api/Rules.ts"
import { ChannelsGroup } from "./api/Channels.ts"
import { AccessGroup } from "./api/Access.ts"
import { DevicesGroup } from "./api/Devices.ts"
import { PushGroup } from "./api/Push.ts"
import { RunnersGroup } from "./api/Runners.ts"
import { HealthGroup, MetricsGroup } from "./api/Operations.ts"

import { RuntimeEvent } from "./RuntimeEvent.ts"

/** The whole surface over HTTP. All but `/health` takes a bearer token. */
export class Api extends HttpApi.make("rejoin")
  .add(ThreadsGroup.middleware(StoreAway).middleware(Authorization).middleware(SchemaErrors))
  .add(TurnsGroup.middleware(StoreAway).middleware(Authorization).middleware(SchemaErrors))
  .add(SessionsGroup.middleware(StoreAway).middleware(Authorization).middleware(SchemaErrors))
  .add(ProvidersGroup.middleware(StoreAway).middleware(Authorization).middleware(SchemaErrors))
  .add(SearchGroup.middleware(StoreAway).middleware(Authorization).middleware(SchemaErrors))
  .add(DirectoriesGroup.middleware(StoreAway).middleware(Authorization).middleware(SchemaErrors))
  .add(RulesGroup.middleware(StoreAway).middleware(Authorization).middleware(SchemaErrors))
  .add(ChannelsGroup.middleware(StoreAway).middleware(Authorization).middleware(SchemaErrors))
  .add(AccessGroup.middleware(StoreAway).middleware(SchemaErrors))
  .add(DevicesGroup.middleware(StoreAway).middleware(Authorization).middleware(SchemaErrors))
  .add(PushGroup.middleware(StoreAway).middleware(Authorization).middleware(SchemaErrors))
  .add(RunnersGroup.middleware(StoreAway).middleware(Authorization).middleware(SchemaErrors))
  .add(MetricsGroup.middleware(Authorization))
  .add(HealthGroup.middleware(SchemaErrors))
  .prefix("/api")
  // A field that is not known is an error: a mistyped mode or idempotency key must not pass for none.
  .annotate(HttpApi.PayloadParseOptions, { onExcessProperty: "error" })
  .annotate(HttpApi.QueryParseOptions, { onExcessProperty: "error" })
  .annotate(HttpApi.AdditionalSchemas, [RuntimeEvent])
  .annotateMerge(
    OpenApi.annotations({
      transform: documented,
      title: "Rejoin",
      version: "0.1.0",
      description:
        "A follow-up always reaches the same conversation, in the right directory, with the right permissions."
    })
  ) {}
