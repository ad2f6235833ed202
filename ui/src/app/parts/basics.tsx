import { type ReactNode, useEffect, useRef } from "react";
import { Button, type ButtonProps } from "react-aria-components";
import type { MessageId } from "../../messages/all";
import { T, t } from "../../messages/react";
import type { Values } from "../../messages/format";
import { clockTime, remaining } from "../../messages/format";
import { useNow } from "../hooks";

/** The mark of Landfall: a shore, and a light over it. */
export function Mark(): ReactNode {
  return (
    <svg className="mark" viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.6" aria-hidden="true">
      <path d="M1 12c3-3 5 1 8-1s4-5 10-4" />
      <path d="M1 16h18" />
      <circle cx="14.5" cy="4" r="1.6" fill="currentColor" stroke="none" />
    </svg>
  );
}

type Kind = "primary" | "quiet" | "danger";

/** A button that says what it does. */
export function Press({ kind = "primary", ...props }: ButtonProps & Readonly<{ kind?: Kind }>): ReactNode {
  return <Button {...props} className={kind === "primary" ? "button" : `button ${kind}`} />;
}

/** A screen's heading: where keyboard and reader begin when the screen appears. */
export function Title({ id, values }: Readonly<{ id: MessageId; values?: Values }>): ReactNode {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus();
  }, [id]);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {t(id, values)}
    </h1>
  );
}

/** The sentence under the heading. */
export function Lead({ id, values = {} }: Readonly<{ id: MessageId; values?: Values }>): ReactNode {
  return (
    <p className="lead">
      <T id={id} values={values} />
    </p>
  );
}

/** A short word on a coloured ground. The word carries the meaning, the colour only helps. */
export function Pill({ tone = "plain", children }: Readonly<{ tone?: "plain" | "ok" | "warn" | "bad"; children: ReactNode }>): ReactNode {
  return <span className={`pill ${tone}`}>{children}</span>;
}

/** A card with a heading. */
export function Card(props: Readonly<{ tone?: "attention" | "danger"; title?: ReactNode; children: ReactNode }>): ReactNode {
  return (
    <section className={props.tone ? `card ${props.tone}` : "card"}>
      {props.title === undefined ? null : <h2>{props.title}</h2>}
      {props.children}
    </section>
  );
}

/** A term and what it stands for, in a list of facts. */
export function Fact({ term, children }: Readonly<{ term: MessageId; children: ReactNode }>): ReactNode {
  return (
    <>
      <dt>{t(term)}</dt>
      <dd>{children}</dd>
    </>
  );
}

/** When something ends: the clock time, and what is left. */
export function Countdown({ until }: Readonly<{ until: string }>): ReactNode {
  const now = useNow(true);
  const values = { time: clockTime(until, now), left: remaining(until, now) };
  return <span className="countdown">{t("until.left", values)}</span>;
}

/** Says something to a screen reader when it changes, and shows it. */
export function Say({ children }: Readonly<{ children: ReactNode }>): ReactNode {
  return (
    <p className="say" role="status" aria-live="polite">
      {children}
    </p>
  );
}

/** The one ornament: a shoreline that fills from the left as steps are done. */
export function Shoreline({ filled }: Readonly<{ filled: number }>): ReactNode {
  const far = "M0 120 C160 95 240 140 380 118 S620 70 760 96 960 60 1040 72";
  const near = "M0 142 C200 126 300 160 470 142 S780 112 1040 120";
  return (
    <svg className="shore" viewBox="0 0 1040 170" preserveAspectRatio="none" aria-hidden="true">
      <path className="sea-far" d={`${far} V170 H0Z`} />
      <path className="sea-near" d={`${near} V170 H0Z`} />
      <path className="tide" d={far} pathLength={1} strokeDasharray={`${filled} 2`} />
    </svg>
  );
}
