import type { Thread } from "@rejoin/contracts/Thread"
import { visible } from "@rejoin/shown/Visible"
import { createMemo, createSignal, onCleanup, onMount, Show } from "solid-js"
import { AlarmBox } from "./AlarmBox.tsx"
import { Composer } from "./Composer.tsx"
import { alarmOf, type Conversation } from "./Conversation.ts"
import { Heading } from "./Heading.tsx"
import { Icon } from "./Icon.tsx"
import { ModeField } from "./ModeField.tsx"
import { keepPlace } from "./Reading.ts"
import { Receipts } from "./Receipts.tsx"
import type { Store } from "./Store.ts"
import { ThreadMenu } from "./ThreadMenu.tsx"
import { type PanelName, ThreadPanels } from "./ThreadPanels.tsx"
import { Timeline } from "./Timeline.tsx"

/** One thread: its conversation as it streams, what it asks, and what became of it. */
export const ThreadPane = (props: {
  readonly thread: Thread
  readonly conversation: Conversation
  readonly store: Store
  readonly onOpen: (id: string | undefined) => void
  /** Opens a new thread with the same agent, directory and powers. */
  readonly onAlike: (thread: Thread) => void
  readonly onBack: () => void
}) => {
  const [showsReceipts, setShowsReceipts] = createSignal(false)
  const [panel, setPanel] = createSignal<PanelName>()
  const [isAway, setAway] = createSignal(false)
  const alarm = createMemo(() => alarmOf(props.thread, props.conversation.receipts))
  let scrolled: HTMLDivElement | undefined
  let reading: ReturnType<typeof keepPlace> | undefined
  // Turned over, its end is where it begins.
  const toEnd = () => scrolled?.scrollTo({ top: 0 })
  return (
    <main class="thread" classList={{ "with-receipts": showsReceipts() }}>
      <Heading
        thread={props.thread}
        store={props.store}
        last={props.conversation.receipts[0]}
        showsReceipts={showsReceipts()}
        onReceipts={() => setShowsReceipts((shows) => !shows)}
        onBack={props.onBack}
        menu={
          <ThreadMenu thread={props.thread} store={props.store} onPanel={setPanel} onOpen={props.onOpen} />
        }
      />
      <div class="above">
        <ThreadPanels
          thread={props.thread}
          store={props.store}
          panel={panel()}
          onPanel={setPanel}
          onOpen={props.onOpen}
        />
        <Show when={alarm()}>{(alarm) => <AlarmBox alarm={alarm()} onRemedy={setPanel} />}</Show>
      </div>
      <div
        class="scroll"
        tabindex="0"
        role="region"
        aria-label="Conversation"
        ref={(element) => {
          scrolled = element
          reading = keepPlace(element)
          onCleanup(reading.end)
        }}
        onScroll={(event) => {
          setAway(event.currentTarget.scrollTop < -300)
          reading?.moved()
        }}
      >
        <div
          class="items"
          role="log"
          aria-live="polite"
          ref={(element) => onMount(() => reading?.watch(element))}
        >
          <Timeline
            thread={props.thread}
            conversation={props.conversation}
            store={props.store}
            onOpen={props.onOpen}
            onAlike={props.onAlike}
            onSent={toEnd}
          />
        </div>
      </div>
      <Show when={isAway()}>
        <button class="latest small" onClick={toEnd}>
          <Icon name="down" /> To the latest
        </button>
      </Show>
      <div class="below">
        <Composer
          thread={props.thread}
          turnId={props.conversation.turns.find(({ state }) => state === "running")?.id}
          store={props.store}
          onSent={toEnd}
          how={
            <>
              <ModeField thread={props.thread} store={props.store} />
              <button type="button" class="chip model" title="Model" onClick={() => setPanel("details")}>
                {visible(props.thread.model ?? "agent's own model")}
              </button>
            </>
          }
        />
      </div>
      <Show when={showsReceipts()}>
        <Receipts
          receipts={props.conversation.receipts}
          forkedFrom={props.thread.forkedFrom}
          usage={props.thread.usage}
          onClose={() => setShowsReceipts(false)}
        />
      </Show>
    </main>
  )
}
