import { createMemo } from "solid-js"
import { encode } from "uqr"

/** A code that a phone's camera reads. Dark on light, whatever the page's colours are: not all cameras read the other. */
export const QrCode = (props: { readonly text: string; readonly label: string }) => {
  const code = createMemo(() => encode(props.text, { border: 3 }))
  const path = () =>
    code()
      .data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])))
      .join("")
  return (
    <svg class="qr" role="img" aria-label={props.label} viewBox={`0 0 ${code().size} ${code().size}`}>
      <rect width="100%" height="100%" fill="#fff" />
      <path d={path()} fill="#000" />
    </svg>
  )
}
