import type { Frozen } from "@wire/Frozen";
import { type ReactNode, useState } from "react";
import { T, t } from "../../messages/react";
import { useAct } from "../hooks";
import { Card, Lead, Press, Title } from "../parts/basics";
import { Trouble } from "../parts/Trouble";

/** "That wasn't me": what stops and what stays is said first, then one button stops everything. */
export function NotMine({ about, onKeep }: Readonly<{ about?: string; onKeep: () => void }>): ReactNode {
  const [frozen, setFrozen] = useState<Frozen | null>(null);
  const freeze = useAct((api) => api.freeze());
  if (frozen !== null) {
    return (
      <div className="stack">
        <Title id="freeze.done.title" />
        <p className="lead" role="status">
          <T id="freeze.done.body" values={{ count: frozen.sessions_ended }} />
        </p>
      </div>
    );
  }
  return (
    <div className="stack">
      <Title id="notmine.title" />
      {about === undefined ? null : <p className="act">{about}</p>}
      <Lead id="notmine.lead" />
      <div className="pair">
        <Card title={t("notmine.stops.title")} tone="attention">
          <ul className="points">
            <li>{t("notmine.stops.1")}</li>
            <li>{t("notmine.stops.2")}</li>
          </ul>
        </Card>
        <Card title={t("notmine.stays.title")}>
          <ul className="points">
            <li>{t("notmine.stays.1")}</li>
            <li>{t("notmine.stays.2")}</li>
          </ul>
        </Card>
      </div>
      {freeze.failure === null ? null : <Trouble failure={freeze.failure} />}
      <div className="actions">
        <Press kind="danger" onPress={() => void freeze.run().then(setFrozen)} isDisabled={freeze.busy}>
          {t("notmine.go")}
        </Press>
        <Press kind="quiet" onPress={onKeep} isDisabled={freeze.busy}>
          {t("notmine.keep")}
        </Press>
      </div>
    </div>
  );
}
