// One conversation, as the API tells of it: what its description shows beside each operation.

const at = "2026-01-05T09:30:00.000Z"
const threadId = "thr_01k6q2v4n8d3w5x7y9z1a2b3c4"
const turnId = "trn_01k6q2v5p0e4x6y8z0a2b4c6d8"

const thread = {
  id: threadId,
  title: "Fix the flaky login test",
  provider: "opencode",
  driver: "opencode",
  project: "/home/ada/shop",
  cwd: "/home/ada/shop",
  runtimeMode: "approval-required",
  model: null,
  status: "done",
  session: { state: "ready", providerSessionId: "ses_45f0c2" },
  generation: 1,
  lastSeq: 14,
  pendingRequests: 0,
  usage: { inputTokens: 2140, outputTokens: 310, costUsd: 0.012 },
  createdAt: at,
  updatedAt: at,
  lastActivityAt: at
}

const turn = {
  id: turnId,
  threadId,
  status: "completed",
  input: "Why does the login test fail now and then?",
  output: "It waits for a fixed time instead of for the redirect.",
  acceptedAt: at,
  startedAt: at,
  settledAt: at
}

const device = {
  id: "3f9c0a1b2d4e5f6a7b",
  name: "Ada's phone",
  mode: "approval-required",
  agent: "Mozilla/5.0",
  since: at,
  lastSeenAt: at
}

const subscription = {
  id: "7b1c9d0e2f3a4b5c6d7e8f9a0b1c2d3e",
  service: "updates.push.services.mozilla.com",
  quiet: { from: "22:00", to: "07:00", zone: "Europe/Berlin" },
  since: at
}

const waiting = { ...turn, status: "accepted", output: "", startedAt: undefined, settledAt: undefined }

const item = {
  id: "itm_01k6q2v6",
  turnId,
  kind: "command",
  status: "completed",
  command: "npm test -- login",
  output: "1 failed",
  exitCode: 1
}

const receipt = {
  id: "rcp_01k6q2v5aa",
  threadId,
  turnId,
  generation: 1,
  outcome: "adopted",
  providerSessionIdBefore: "ses_45f0c2",
  providerSessionIdAfter: "ses_45f0c2",
  cwdRequested: "/home/ada/shop",
  cwdVerified: "/home/ada/shop",
  runtimeModeRequested: "approval-required",
  runtimeModeVerified: "approval-required",
  checks: [],
  verification: "complete",
  agentVersion: "1.18.33",
  evidence: {},
  at
}
const moved = {
  ...receipt,
  outcome: "moved",
  cwdRequested: "/home/ada/shop-fix",
  cwdVerified: "/home/ada/shop-fix"
}

const request = {
  id: "req_01k6q2v7",
  threadId,
  turnId,
  openedAt: at,
  ask: { kind: "approval", permission: "bash", title: "npm test", command: "npm test", covers: ["npm test"] }
}

const rule = {
  id: "rul_01k6q2v8",
  scope: { thread: threadId },
  tool: "bash",
  pattern: "npm test *",
  decision: "accept",
  createdAt: at
}

const capabilities = {
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

const provider = {
  id: "opencode",
  driver: "opencode",
  status: "ready",
  program: "/usr/local/bin/opencode",
  version: "1.18.33",
  supported: true,
  authenticated: true,
  model: null,
  dataDirectory: "/home/ada/.local/share/opencode",
  capabilities
}

const brought = {
  agent: "claude",
  file: "/home/ada/shop/.claude/settings.json",
  what: "hooks",
  hash: "9f2c…"
}

export interface Example {
  /** What an operation promises beyond its summary. */
  readonly description: string
  readonly request?: unknown
  readonly response?: unknown
}

/** By the operation's id. Where an answer has no content there is none to show. */
export const examples: Readonly<Record<string, Example>> = {
  "threads.create": {
    description:
      "The thread is kept before this is answered. No agent is started: that is done by its first turn. With a `key` or a `session` that a thread has already, that thread is answered, with 200 instead of 201.",
    request: { provider: "opencode", cwd: "/home/ada/shop", runtimeMode: "approval-required" },
    response: { ...thread, title: "", status: "idle", session: { state: "none" }, generation: 0, lastSeq: 1 }
  },
  "threads.list": {
    description:
      "Pages of `limit` threads; `next`, where there is more, is the `after` of the page that follows.",
    response: { items: [thread] }
  },
  "threads.get": { description: "What is known of it without asking its agent.", response: thread },
  "threads.update": {
    description:
      "A mode or a model holds from the next turn on, is read back from the agent, and is refused while a turn runs.",
    request: { runtimeMode: "read-only" },
    response: { ...thread, runtimeMode: "read-only" }
  },
  "threads.remove": {
    description:
      "Ends its session, and forgets turns, items, receipts and our copy. What the agent keeps stays."
  },
  "threads.items": {
    description:
      "What was said and done, in pages from the end: `before` is the id of the first item of the page before.",
    response: { items: [item] }
  },
  "threads.events": {
    description:
      "The first event is `snapshot`, with the thread, its last 200 items and what waits for an answer. Each later one is a RuntimeEvent in `data`, with its `seq` as `id`. With `Last-Event-ID` there is no snapshot: what came after it follows, without gaps, also over a restart of the server."
  },
  "threads.allEvents": {
    description:
      "As the events of one thread, but for all: `id` is the `position`, and the snapshot has the threads without their items."
  },
  "threads.requests": { description: "Open ones only, the oldest first.", response: { items: [request] } },
  "threads.answer": {
    description:
      "Answered once: a second answer is refused. `remember` makes a rule of it, for this thread or its project. `cancel` declines, and ends the turn.",
    request: { decision: "accept", remember: "thread" }
  },
  "threads.export": {
    description:
      "Begins with a header and ends with a hash over all of it. With `move=true` the thread goes on elsewhere, and what is sent here is refused until it is claimed."
  },
  "threads.import": {
    description:
      "All of it, or nothing. Its next start writes the agent's record where the agent looks for it, and reads it back.",
    response: thread
  },
  "threads.receipts": {
    description:
      "`…Requested` is what was asked for, `…Verified` what was read back from the agent, null where it does not tell.",
    response: { items: [receipt] }
  },
  "turns.send": {
    description:
      "Answered when it is on the disk. It is run at most once, after those that wait before it; with the same `idempotencyKey` it is the same turn. `steer` joins the turn that runs.",
    request: { input: "Why does the login test fail now and then?", idempotencyKey: "a-key-of-yours" },
    response: waiting
  },
  "turns.list": {
    description: "`after` is the id of the last turn that was seen.",
    response: { items: [turn] }
  },
  "turns.get": {
    description:
      "With `wait` it is answered when the turn has settled, or when that time is over, as it is then.",
    response: turn
  },
  "turns.update": {
    description: "Only while it waits: one that has begun is refused, and stays as it was sent.",
    request: { input: "Why does the login test fail on Mondays?" },
    response: { ...waiting, input: "Why does the login test fail on Mondays?" }
  },
  "turns.interrupt": { description: "Answered when the agent was told. The turn settles as `interrupted`." },
  "sessions.interrupt": { description: "Whatever turn runs by then." },
  "sessions.stop": {
    description: "The agent's process ends. The next turn takes the conversation up again."
  },
  "sessions.reset": {
    description:
      "The agent will know nothing of what was said. It is said so in the thread, until and after it happens.",
    response: { ...thread, session: { state: "none", startsAnew: true } }
  },
  "sessions.move": {
    description:
      "The conversation is carried over by the way that its agent has for it, and where it works is read back before anything is said there. Files stay where they are.",
    request: { cwd: "/home/ada/shop-fix" },
    response: moved
  },
  "sessions.fork": {
    description:
      "The thread itself stays as it is. With a `turnId` the new one knows what was said up to that turn.",
    request: { turnId },
    response: { ...thread, id: "thr_01k6q2w9", forkedFrom: { threadId, turnId } }
  },
  "sessions.handover": {
    description: "What could not be carried is counted in the receipt's `carried`.",
    request: { provider: "claude" },
    response: {
      ...receipt,
      outcome: "handed-over",
      carried: { messages: 4, leftOut: { reasoning: 1 }, approximateTokens: 900 }
    }
  },
  "sessions.release": {
    description: "Until it is claimed, what is sent to the thread is refused: one writer for each session.",
    request: { flags: [] },
    response: {
      providerSessionId: "ses_45f0c2",
      command: "/usr/local/bin/opencode",
      args: ["--session", "ses_45f0c2"],
      cwd: "/home/ada/shop",
      env: {}
    }
  },
  "sessions.claim": {
    description: "What was said in the terminal is in the thread then, marked as said there.",
    response: receipt
  },
  "sessions.acceptHistory": {
    description:
      "What is not in the agent's history any more is marked as undone here, and nothing is deleted.",
    response: { ...receipt, undone: 1 }
  },
  "sessions.restore": {
    description: "From our copy, under the same id. `restored` says how far the copy goes.",
    response: { ...receipt, outcome: "rehydrated", restored: { upToTurnId: turnId, whole: true } }
  },
  "providers.list": {
    description: "Agents that are configured or found. One that cannot be used says why in `reason`.",
    response: { items: [provider], defaults: { runtimeMode: "approval-required" } }
  },
  "providers.sessions": {
    description:
      "Read from the agent's own store, which is not changed. `unreadable` counts those that could not be read.",
    response: {
      items: [
        {
          providerSessionId: "ses_45f0c2",
          title: "Fix the flaky login test",
          cwd: "/home/ada/shop",
          createdAt: at,
          updatedAt: at,
          threadId
        }
      ],
      unreadable: 0
    }
  },
  "providers.models": {
    description: "The agent is asked; one that tells none has none here.",
    response: { items: [{ id: "anthropic/claude-sonnet-4-5", name: "Claude Sonnet 4.5", default: true }] }
  },
  "runners.list": {
    description: "One alone is `local`. `threads` counts those with a live session.",
    response: {
      items: [
        { id: "mac_5f0c2d1e", machine: "builder-1", status: "up", threads: 3, version: "0.1.0" },
        { id: "mac_9a41b7f3", machine: "builder-2", status: "away", threads: 0, version: "0.1.0" }
      ]
    }
  },
  "runners.drain": {
    description:
      "For a scale-down, or before an update. It answers when no turn is under way there, or the time is up; then nothing is handed over. The server goes on answering, and `/ready` says 503, until it is ended.",
    request: { seconds: 120, handOver: true },
    response: { running: 0, handedOver: 3 }
  },
  "search.search": {
    description:
      'Every word of `q` has to be there. `"in a row"` is a phrase, `begin*` the beginning of a word. `marks` are where the words are in `snippet`.',
    response: {
      items: [
        {
          threadId,
          title: "Fix the flaky login test",
          provider: "opencode",
          itemId: "itm_01k6q2v6",
          turnId,
          kind: "assistant-message",
          snippet: "It waits for a fixed time instead of for the redirect.",
          marks: [[3, 8]]
        }
      ]
    }
  },
  "directories.look": {
    description: "For choosing one: the directories in it, and the worktrees of its repository.",
    response: {
      path: "/home/ada/shop",
      parent: "/home/ada",
      directories: ["src", "test"],
      roots: ["/home/ada"],
      worktrees: [{ path: "/home/ada/shop", branch: "main" }]
    }
  },
  "directories.addWorktree": {
    description: "Where git makes none, nothing of it is left.",
    request: { repository: "/home/ada/shop", path: "/home/ada/shop-fix", branch: "fix/login" },
    response: { path: "/home/ada/shop-fix", branch: "fix/login" }
  },
  "directories.changes": {
    description: "Nothing that the repository names is run for it: no hook, filter or external diff.",
    response: {
      root: "/home/ada/shop",
      files: [
        {
          path: "src/login.ts",
          status: "modified",
          added: 1,
          removed: 1,
          diff: "@@ -1 +1 @@\n-sleep(500)\n+await redirect"
        }
      ],
      truncated: false
    }
  },
  "directories.files": {
    description: "Names that begin with `q` come first, then those that have it, then paths that do.",
    response: { items: ["src/login.ts", "test/login.test.ts"] }
  },
  "directories.brings": {
    description: "What would run code, choose where an agent's calls go, or widen what it may do.",
    response: { path: "/home/ada/shop", found: [brought], trusted: false }
  },
  "directories.trusted": {
    description: "With what each brought when it was trusted.",
    response: { items: [{ path: "/home/ada/shop", found: [brought], trustedAt: at }] }
  },
  "directories.trust": {
    description: "Just what was looked at: with other `hashes` than those that are there now it is refused.",
    request: { path: "/home/ada/shop", hashes: ["9f2c…"] },
    response: { path: "/home/ada/shop", found: [brought], trustedAt: at }
  },
  "directories.distrust": { description: "From the next start on." },
  "rules.list": { description: "Ours: they stand in no file of an agent's.", response: { items: [rule] } },
  "rules.create": {
    description:
      "A command that chains, redirects or substitutes something fits no pattern that ends with `*`.",
    request: { scope: { thread: threadId }, tool: "bash", pattern: "npm test *", decision: "accept" },
    response: rule
  },
  "rules.remove": { description: "What was answered by it stays answered." },
  "channels.list": {
    description: "`down` says why, and what helps; it is tried again by itself.",
    response: {
      items: [
        {
          id: "telegram",
          kind: "telegram",
          state: "up",
          since: at,
          account: "ada_rejoin_bot",
          waiting: { in: 0, out: 0 },
          peers: 1
        }
      ]
    }
  },
  "channels.pair": {
    description: "It is kept as a hash alone: it cannot be shown again. A stranger has five guesses.",
    response: { code: "K7QXM2NP", expiresAt: at }
  },
  "channels.unpair": { description: "Who was let in already stays so." },
  "channels.peers": {
    description:
      "By the platform's own number; the name is what it showed then. Who stands in `config.json` is not among them.",
    response: { items: [{ id: "8251940", name: "Ada", since: at }] }
  },
  "channels.revoke": { description: "From the next message on. What runs for them goes on." },
  "access.issue": {
    description: "Good once, for an hour.",
    response: { code: "nDDNjUSuErZP", link: "http://127.0.0.1:4319/#code=nDDNjUSuErZP", expiresAt: at }
  },
  "access.redeem": {
    description:
      "After 30 wrong codes in a minute it answers 429. With the `key` of a browser, that lets itself in from then on, until it was not seen for 30 days or the token is another one.",
    request: { code: "nDDNjUSuErZP" },
    response: { token: "the bearer token" }
  },
  "access.challenge": {
    description: "Made for whoever asks; it is worth something only with the key of a browser that is known.",
    response: { challenge: "b6p0m3l8kqf2" }
  },
  "access.enter": {
    description: "Only at the address at which that browser was let in, and once for each challenge.",
    request: { browser: "3f9kq2", challenge: "b6p0m3l8kqf2", signature: "MEUCIQDx…" },
    response: { token: "the bearer token" }
  },
  "access.browsers": {
    description: "Never their keys.",
    response: {
      items: [
        { id: "3f9kq2", origin: "http://127.0.0.1:4319", agent: "Mozilla/5.0", since: at, lastSeenAt: at }
      ]
    }
  },
  "access.forget": { description: "A tab that is in already stays in until it is closed." },
  "devices.pair": {
    description:
      "Good once, for ten minutes. Its link leads to where another machine reaches this server, as far as that is known: `REJOIN_HOSTS`, the certificate's name, or the machine's address.",
    request: { name: "Ada's phone", mode: "approval-required" },
    response: {
      code: "nDDNjUSuErZPq0xk",
      link: "https://box.example.org:4320/#code=nDDNjUSuErZPq0xk",
      expiresAt: at
    }
  },
  "devices.list": {
    description: "Never their tokens.",
    response: { items: [device] }
  },
  "devices.me": {
    description: "By the token of the request.",
    response: { device }
  },
  "devices.revoke": {
    description:
      "Its token is worth nothing from then on, what it has sent and that has not begun is withdrawn, and it is told nothing more."
  },
  "push.key": {
    description: "Made once, and kept in the data directory.",
    response: { publicKey: "BEl62iUYgUivxIkv69yViEuiBIa" }
  },
  "push.list": {
    description: "A device's own, or the owner's.",
    response: { items: [subscription] }
  },
  "push.subscribe": {
    description:
      "What waits for an answer, what has ended and what met its usage limit is told there, once each, with the thread's title and nothing else of it. In the quiet hours nothing is; behind them the last word of each thread. The address must be one of a known push service.",
    request: {
      endpoint: "https://updates.push.services.mozilla.com/wpush/v2/gAAAA",
      keys: {
        p256dh: "BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM",
        auth: "tBHItJI5svbpez7KI4CCXg"
      },
      quiet: { from: "22:00", to: "07:00", zone: "Europe/Berlin" }
    },
    response: subscription
  },
  "push.unsubscribe": { description: "Of who asks; another's stays." },
  "metrics.metrics": { description: "In the text format of Prometheus." },
  "health.health": {
    description:
      "Without a token. With a `challenge`, `proof` shows that it is the server that wrote `server.json`.",
    response: { status: "ok", version: "0.1.0" }
  },
  "health.ready": {
    description:
      "Without a token. For whoever sends requests to one of several servers: a server that is alive may have a database that is away, and then answers 503 `NotReady`.",
    response: { status: "ready", version: "0.1.0" }
  }
}
