import type { FlowFailure } from "@wire/FlowFailure";
import type { FlowView } from "@wire/FlowView";
import type { ReactNode } from "react";
import { t } from "../../messages/react";
import { useApi } from "../hooks";
import { Card, Lead, Press, Shoreline, Title } from "../parts/basics";
import { share, Steps } from "../parts/Steps";
import { Trouble } from "../parts/Trouble";
import type { Place } from "./Frame";

type Props = Readonly<{
  view: FlowView;
  busy: boolean;
  failure: FlowFailure | null;
  onIn: (place: Place) => void;
  onAgain: () => void;
  onOver: () => void;
}>;

/** The named steps while a code becomes an identity, and what comes after. */
export function Entering({ view, busy, failure, onIn, onAgain, onOver }: Props): ReactNode {
  if (view.next.do === "finished" && !busy) return <Entered view={view} onIn={onIn} />;
  return <Underway view={view} failure={busy ? null : (failure ?? view.failure)} onAgain={onAgain} onOver={onOver} />;
}

function Underway({ view, failure, onAgain, onOver }: Readonly<Omit<Props, "busy" | "onIn">>): ReactNode {
  const api = useApi();
  return (
    <main className="shored">
      <div className="two">
        <div className="stack">
          {failure === null ? (
            <>
              <Title id="entering.title" />
              <Lead id="entering.lead" />
            </>
          ) : (
            <>
              <Title id="entering.failed.title" />
              <Trouble failure={failure} {...(view.next.do === "try-again" ? { onAgain } : {})} />
              <div className="actions">
                <Press kind={view.next.do === "try-again" ? "quiet" : "primary"} onPress={onOver}>
                  {t("confirm.other")}
                </Press>
              </div>
            </>
          )}
          <Steps view={view} />
        </div>
        <aside className="stack">
          {view.other_way === "check-connection" && failure === null ? (
            <Card title={t("other.check-connection.title")}>
              <p className="soft">{t("other.check-connection.body")}</p>
              <Press kind="quiet" onPress={() => void api.flowCancel()}>
                {t("other.stop")}
              </Press>
            </Card>
          ) : null}
          <Card tone="attention" title={t("enter.lost.title")}>
            <p>{t("enter.lost.body")}</p>
          </Card>
        </aside>
      </div>
      <Shoreline filled={share(view)} />
    </main>
  );
}

function Entered({ view, onIn }: Readonly<Pick<Props, "view" | "onIn">>): ReactNode {
  const { user, device } = view.about;
  return (
    <main className="shored">
      <div className="two">
        <div className="stack">
          <Title id="entered.title" values={{ user }} />
          <Lead id="entered.lead" values={{ device, seconds: machineSeconds(view).toFixed(1) }} />
          <Steps view={view} />
          <div className="actions">
            <Press kind={view.about.token_kind === "device" ? "primary" : "quiet"} onPress={() => onIn("secrets")}>{t("entered.secrets")}</Press>
          </div>
        </div>
        <aside className="stack">
          {view.about.token_kind === "device" ? (
            <Card tone="attention" title={t("entered.lost.title")}>
              <p>{t("entered.lost.body")}</p>
              <Press kind="danger" onPress={() => onIn("devices")}>
                {t("entered.lost.go")}
              </Press>
            </Card>
          ) : (
            <Card tone="attention" title={t("entered.passkey.title")}>
              <p>{t("entered.passkey.body")}</p>
              <Press onPress={() => onIn("home")}>{t("entered.passkey.go")}</Press>
            </Card>
          )}
        </aside>
      </div>
      <Shoreline filled={1} />
    </main>
  );
}

/** What the machine took; reading and saying yes is the person's time. */
function machineSeconds(view: FlowView): number {
  return view.steps
    .filter((step) => step.id !== "confirm" && step.started_at !== null && step.finished_at !== null)
    .reduce((sum, step) => sum + (Date.parse(step.finished_at ?? "") - Date.parse(step.started_at ?? "")) / 1000, 0);
}
