/** How far from the end somebody has to be, in px, to be reading and not following. */
const away = 20

/**
 * Keeps what is read where it is while more comes below it. The list is turned over, so it holds its distance to the
 * end: who has scrolled up to read would see the text move away under them.
 */
export const keepPlace = (scroller: HTMLElement) => {
  let anchor: { readonly element: Element; readonly top: number } | undefined
  const topOf = (element: Element) =>
    element.getBoundingClientRect().top - scroller.getBoundingClientRect().top

  /** The first thing that is seen: where that was, it stays. */
  const moved = () => {
    if (scroller.scrollTop > -away) {
      anchor = undefined
      return
    }
    // What stands above all that is shown yet goes up with what is shown next: a button is nothing that is read.
    const items = [...(scroller.firstElementChild?.children ?? [])].filter(
      ({ tagName }) => tagName !== "BUTTON"
    )
    const element = items.find((item) => topOf(item) + item.getBoundingClientRect().height > 0)
    anchor = element && { element, top: topOf(element) }
  }

  const observer = new ResizeObserver(() => {
    if (anchor === undefined || !anchor.element.isConnected) return
    const shift = topOf(anchor.element) - anchor.top
    if (Math.abs(shift) >= 1) scroller.scrollTop += shift
  })
  return { moved, watch: (element: Element) => observer.observe(element), end: () => observer.disconnect() }
}
