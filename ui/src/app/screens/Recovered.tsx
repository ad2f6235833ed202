import type { RecoveryHere } from "@wire/RecoveryHere";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { clockTime } from "../../messages/format";
import { t } from "../../messages/react";
import { useAct, useApi, useNow } from "../hooks";
import { Card, Lead, Press, Shoreline, Title } from "../parts/basics";
import { Trouble } from "../parts/Trouble";
import type { Place } from "./Frame";

type Props = Readonly<{ here: RecoveryHere; onIn: (place: Place) => void }>;

/** This machine is in: first the new code goes onto paper, then what is next. */
export function Recovered({ here, onIn }: Props): ReactNode {
  const api = useApi();
  const [written, setWritten] = useState(false);
  const told = useRef(false);
  const seen = useAct((api) => api.recoverySeen());
  const code = here.new_code;
  useEffect(() => {
    if (code !== null || told.current) return;
    told.current = true;
    // What stays behind is looked at again at the next start.
    void api.recoverySeen().catch(() => undefined);
  }, [api, code]);
  if (code !== null && !written) {
    const done = () => void seen.run().then((done) => done !== null && setWritten(true));
    return (
      <main className="shored">
        <div className="one stack">
          <Title id="newcode.title" />
          <Lead id="newcode.lead" />
          <p className="check long mono">
            <span className="hidden-but-read">{t("newcode.label")}: </span>
            {code}
          </p>
          {seen.failure === null ? null : <Trouble failure={seen.failure} />}
          <div className="actions">
            <Press onPress={done} isDisabled={seen.busy}>
              {t("newcode.go")}
            </Press>
          </div>
        </div>
        <Shoreline filled={0.95} />
      </main>
    );
  }
  return <In here={here} onIn={onIn} />;
}

function In({ here, onIn }: Props): ReactNode {
  const now = useNow(false);
  const { user, device } = here.flow.about;
  const { lost, passkey_until: until } = here;
  return (
    <main className="shored">
      <div className="two">
        <div className="stack">
          <Title id="recovered.title" values={{ user }} />
          <Lead id="recovered.lead" values={{ device }} />
          {until === null ? null : (
            <Card title={t("recovered.passkey.title")}>
              <p>{t("recovered.passkey.body", { time: clockTime(until, now) })}</p>
              <Press onPress={() => onIn("home")}>{t("entered.passkey.go")}</Press>
            </Card>
          )}
          <div className="actions">
            <Press kind={until === null ? "primary" : "quiet"} onPress={() => onIn("secrets")}>
              {t("entered.secrets")}
            </Press>
          </div>
        </div>
        <aside className="stack">
          {lost === null ? (
            <Card tone="attention" title={t("entered.lost.title")}>
              <p>{t("entered.lost.body")}</p>
              <Press kind="danger" onPress={() => onIn("devices")}>
                {t("entered.lost.go")}
              </Press>
            </Card>
          ) : (
            <Card title={t("recovered.cut.title", { device: lost })}>
              <p>{t("recovered.cut.body")}</p>
              <Press kind="quiet" onPress={() => onIn("devices")}>
                {t("recovered.cut.go")}
              </Press>
            </Card>
          )}
        </aside>
      </div>
      <Shoreline filled={1} />
    </main>
  );
}
