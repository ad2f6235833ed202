import type { FlowFailure } from "@wire/FlowFailure";
import type { FlowView } from "@wire/FlowView";
import type { RecoveryChange } from "@wire/RecoveryChange";
import type { RecoveryHere } from "@wire/RecoveryHere";
import type { RecoveryTyped } from "@wire/RecoveryTyped";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { t } from "../../messages/react";
import { useAct, useApi } from "../hooks";
import { Card, Lead, Press, Shoreline, Title } from "../parts/basics";
import { share, Steps } from "../parts/Steps";
import { Trouble } from "../parts/Trouble";
import { Awaiting } from "./Awaiting";
import type { Place } from "./Frame";
import { Otherwise } from "./Otherwise";
import { Recovered } from "./Recovered";

/** As often as somebody who waits at a terminal is told. */
const LOOK_EVERY_MS = 3000;

type Props = Readonly<{ from: RecoveryHere | RecoveryTyped; onIn: (place: Place) => void; onOver: () => void }>;

/** A recovery from its first call to the machine's own identity; one that was begun before goes on by itself. */
export function Recovering({ from, onIn, onOver }: Props): ReactNode {
  const [here, setHere] = useState<RecoveryHere | null>("flow" in from ? from : null);
  const begin = useAct((api, onView, typed: RecoveryTyped) => api.recover(typed, onView));
  const goOn = useAct((api, onView, change: RecoveryChange | null) => api.recoveryGoOn(change, onView));
  const drop = useAct((api) => api.recoveryDrop());
  const started = useRef(false);
  const keep = (next: RecoveryHere | null) => next !== null && setHere(next);
  const again = (change: RecoveryChange | null) => void goOn.run(change).then(keep);
  const first = () => ("flow" in from ? again(null) : void begin.run(from).then(keep));
  useEffect(() => {
    if (started.current) return;
    started.current = true;
    if (!("flow" in from && from.stage === "in")) first();
  });
  const waiting = here?.stage === "waiting" && !goOn.busy && !drop.busy;
  useLooking(waiting, setHere, onOver);
  const leave = () => void drop.run().then((done) => done !== null && onOver());

  const failure = begin.failure ?? drop.failure;
  if (failure !== null) return <Stopped failure={failure} onAgain={here === null ? first : leave} onLeave={onOver} />;
  const view = begin.view ?? goOn.view;
  if (here === null) return <Underway view={view} />;
  if (here.stage === "in") return <Recovered here={here} onIn={onIn} />;
  if (here.stage === "waiting") {
    return <Awaiting here={here} busy={goOn.busy} failure={goOn.failure} onChange={again} onLeave={leave} />;
  }
  if (goOn.busy) return <Underway view={view ?? here.flow} />;
  return <Otherwise here={here} failure={goOn.failure} onChange={again} onLeave={leave} onOver={onOver} />;
}

/** Asks again and again how it stands. A look that fails is made up for by the next one. */
function useLooking(on: boolean, onHere: (here: RecoveryHere) => void, onGone: () => void): void {
  const api = useApi();
  const [round, setRound] = useState(0);
  useEffect(() => {
    if (!on) return undefined;
    let wanted = true;
    const look = async () => {
      const here = await api.recoveryGoOn(null, () => undefined).catch(() => undefined);
      if (!wanted) return;
      if (here === null) onGone();
      else if (here !== undefined) onHere(here);
      setRound((n) => n + 1);
    };
    const timer = setTimeout(() => void look(), LOOK_EVERY_MS);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
    // What is done with the answer does not change while somebody waits.
  }, [api, on, round]);
}

function Underway({ view }: Readonly<{ view: FlowView | null }>): ReactNode {
  const api = useApi();
  return (
    <main className="shored">
      <div className="two">
        <div className="stack">
          <Title id="recovering.title" />
          <Lead id="recovering.lead" />
          {view === null ? <p className="soft">{t("working")}</p> : <Steps view={view} />}
        </div>
        <aside className="stack">
          {view?.other_way === "check-connection" ? (
            <Card title={t("other.check-connection.title")}>
              <p className="soft">{t("other.check-connection.body")}</p>
              <Press kind="quiet" onPress={() => void api.flowCancel()}>
                {t("other.stop")}
              </Press>
            </Card>
          ) : null}
        </aside>
      </div>
      <Shoreline filled={view === null ? 0 : share(view)} />
    </main>
  );
}

type StoppedProps = Readonly<{ failure: FlowFailure; onAgain: () => void; onLeave: () => void }>;

/** Nothing of it could be begun, or forgotten. */
function Stopped({ failure, onAgain, onLeave }: StoppedProps): ReactNode {
  return (
    <main className="shored">
      <div className="one stack">
        <Title id="recovering.paused.title" />
        <Trouble failure={failure} onAgain={onAgain} />
        <div className="actions">
          <Press kind="quiet" onPress={onLeave}>
            {t("recovering.leave")}
          </Press>
        </div>
      </div>
      <Shoreline filled={0} />
    </main>
  );
}
