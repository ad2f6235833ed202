import type { RecoveryInfo } from "@wire/RecoveryInfo";
import { type ReactNode, useState } from "react";
import { clockTime } from "../../messages/format";
import { t } from "../../messages/react";
import { useAct, useNow } from "../hooks";
import { Card, Fact, Press } from "../parts/basics";
import { PasskeyDialog } from "../parts/PasskeyDialog";
import { Shown, stands } from "../parts/recovery";
import { Trouble } from "../parts/Trouble";
import { NotMine } from "./NotMine";

/** Somebody asks to be let in as the person who reads this: who, from where, and how to stop it. */
export function Asking({ info, onStopped }: Readonly<{ info: RecoveryInfo; onStopped: () => void }>): ReactNode {
  const now = useNow(false);
  const [stopped, setStopped] = useState(false);
  const [freezing, setFreezing] = useState(false);
  const stop = useAct((api, onView) => api.stopRecovery(info.id, onView));
  if (freezing) return <NotMine onKeep={() => setFreezing(false)} />;
  if (stopped) {
    return (
      <Card title={t("ready.stopped.title", { device: info.device })}>
        <p role="status">{t("ready.stopped.body")}</p>
        <Press kind="quiet" onPress={() => setFreezing(true)}>
          {t("ready.stopped.freeze")}
        </Press>
      </Card>
    );
  }
  const end = () =>
    void stop.run().then((done) => {
      if (done === null) return;
      setStopped(true);
      onStopped();
    });
  return (
    <Card tone="danger" title={t("ready.asks.title", { device: info.device })}>
      <p>{t("ready.asks.warn")}</p>
      <dl className="facts">
        <Fact term="ready.asks.from">
          <span className="mono">{info.source}</span>
        </Fact>
        <Fact term="ready.asks.since">{clockTime(info.begun_at, now)}</Fact>
        <Fact term="ready.asks.shown">
          <Shown proofs={info.proofs} />
        </Fact>
        <Fact term="ready.asks.state">{stands(info, now)}</Fact>
      </dl>
      {stop.failure === null ? null : <Trouble failure={stop.failure} />}
      <div className="actions">
        <Press kind="danger" onPress={end} isDisabled={stop.busy}>
          {t("ready.asks.stop")}
        </Press>
        <span className="soft small">{t("lost.passkey")}</span>
      </div>
      <p className="soft">{t("ready.asks.me")}</p>
      <PasskeyDialog view={stop.view} />
    </Card>
  );
}
