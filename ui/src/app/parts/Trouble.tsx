import type { FlowFailure } from "@wire/FlowFailure";
import { type ReactNode, useEffect, useRef } from "react";
import { spanWords } from "../../messages/format";
import { t } from "../../messages/react";
import { Press } from "./basics";

/** What happened, why, and what to do next; the code small. */
export function Trouble({ failure, onAgain }: Readonly<{ failure: FlowFailure; onAgain?: () => void }>): ReactNode {
  const { title, detail, code, remedy, retry_after_seconds: wait, request_id: request } = failure;
  const card = useRef<HTMLElement>(null);
  // Below a long form it would be out of sight. Newer browsers answer with a promise, which is no clean-up.
  useEffect(() => {
    void card.current?.scrollIntoView?.({ block: "nearest" });
  }, [failure]);
  return (
    <section ref={card} className="card danger trouble" role="alert">
      <h2>{title}</h2>
      <p>{detail}</p>
      <p className="next">{wait === null ? t(`failure.${remedy}`) : t("failure.retry-after", { span: spanWords(wait) })}</p>
      {onAgain ? (
        <Press onPress={onAgain}>
          {t("failure.again")}
        </Press>
      ) : null}
      <p className="soft small mono">{request === null ? code : `${code} · ${request}`}</p>
    </section>
  );
}
