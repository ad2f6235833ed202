import type { FlowStep } from "@wire/FlowStep";
import type { FlowView } from "@wire/FlowView";
import type { ReactNode } from "react";
import { clockTime } from "../../messages/format";
import { t } from "../../messages/react";
import { useNow } from "../hooks";

/** Named steps with their times. */
export function Steps({ view }: Readonly<{ view: FlowView }>): ReactNode {
  return (
    <ol className="steps card">
      {view.steps.map((step) => (
        <li key={step.id} className={step.state} aria-current={step.state === "now" ? "step" : undefined}>
          <span className="dot" aria-hidden="true">
            {step.state === "done" ? "✓" : step.state === "failed" ? "!" : ""}
          </span>
          <span className="step-name">
            {t(`step.${step.id}`)}
            <span className="hidden-but-read">, {t(`step.state.${step.state}`)}</span>
          </span>
          <StepTime step={step} until={view.expires_at} />
        </li>
      ))}
    </ol>
  );
}

function StepTime({ step, until }: Readonly<{ step: FlowStep; until: string | null }>): ReactNode {
  const now = useNow(step.state === "now");
  const took = secondsOf(step, now);
  if (step.state === "now" && took < 1 && until !== null) {
    return <span className="soft small">{t("until", { time: clockTime(until, now) })}</span>;
  }
  // How long a person took to read is nobody's business, nor how long others took to say yes.
  if (step.state === "pending" || step.id === "confirm" || step.id === "prove") return null;
  return <span className="soft small">{t("step.took", { seconds: took.toFixed(1) })}</span>;
}

function secondsOf(step: FlowStep, now: Date): number {
  if (step.started_at === null) return 0;
  const end = step.finished_at === null ? now.getTime() : Date.parse(step.finished_at);
  return Math.max(0, (end - Date.parse(step.started_at)) / 1000);
}

/** How much of a flow is done, from 0 to 1. */
export function share(view: FlowView): number {
  const done = view.steps.filter((step) => step.state === "done").length;
  return view.steps.length === 0 ? 0 : done / view.steps.length;
}
