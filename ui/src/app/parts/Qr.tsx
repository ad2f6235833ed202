import type { QrPicture } from "@wire/QrPicture";
import type { ReactNode } from "react";
import type { MessageId } from "../../messages/all";
import { t } from "../../messages/react";

const QUIET = 4;

/** A QR code, always dark on light: scanners want it so in either theme. */
export function Qr({ picture, label = "add.code.qr" }: Readonly<{ picture: QrPicture; label?: MessageId }>): ReactNode {
  const size = picture.rows.length + 2 * QUIET;
  const dark = picture.rows
    .flatMap((row, y) => [...row].map((cell, x) => (cell === "#" ? `M${x + QUIET} ${y + QUIET}h1v1h-1z` : "")))
    .join("");
  return (
    <svg className="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={t(label)} shapeRendering="crispEdges">
      <rect width={size} height={size} fill="#ffffff" />
      <path d={dark} fill="#000000" />
    </svg>
  );
}
