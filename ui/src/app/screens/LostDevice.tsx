import type { DeviceCut } from "@wire/DeviceCut";
import type { DeviceInfo } from "@wire/DeviceInfo";
import { type ReactNode, useState } from "react";
import { clockTime } from "../../messages/format";
import { T, t } from "../../messages/react";
import { useAct, useNow } from "../hooks";
import { Card, Lead, Press, Title } from "../parts/basics";
import { PasskeyDialog } from "../parts/PasskeyDialog";
import { Trouble } from "../parts/Trouble";

type Props = Readonly<{ device: DeviceInfo; onBack: () => void }>;

/** Cut a device off: what happens is said first; at once for now, then for ever if wanted. */
export function LostDevice({ device, onBack }: Props): ReactNode {
  const [cut, setCut] = useState<DeviceCut | null>(null);
  const suspend = useAct((api, onView) => api.suspendDevice(device.name, onView));
  if (cut !== null) return <CutOff cut={cut} onBack={onBack} />;
  if (device.state === "suspended") return <ForEver device={device} onBack={onBack} />;
  return (
    <div className="stack">
      <Title id="lost.title" values={{ device: device.name }} />
      <Lead id="lost.lead" />
      <WhatHappens device={device.name} />
      {suspend.failure === null ? null : <Trouble failure={suspend.failure} />}
      <div className="actions">
        <Press kind="danger" onPress={() => void suspend.run().then(setCut)} isDisabled={suspend.busy}>
          {t("lost.go", { device: device.name })}
        </Press>
        <Press kind="quiet" onPress={onBack} isDisabled={suspend.busy}>
          {t("lost.keep")}
        </Press>
        <span className="soft small">{t("lost.passkey")}</span>
      </div>
      <PasskeyDialog view={suspend.view} />
    </div>
  );
}

function WhatHappens({ device }: Readonly<{ device: string }>): ReactNode {
  return (
    <div className="pair">
      <Card title={t("lost.device.title", { device })}>
        <ul className="points">
          <li>{t("lost.device.1")}</li>
          <li>{t("lost.device.2")}</li>
          <li>{t("lost.device.3")}</li>
        </ul>
      </Card>
      <Card title={t("lost.secrets.title")} tone="attention">
        <ul className="points">
          <li>{t("lost.secrets.1")}</li>
          <li>{t("lost.secrets.2", { device })}</li>
        </ul>
      </Card>
    </div>
  );
}

function CutOff({ cut, onBack }: Readonly<{ cut: DeviceCut; onBack: () => void }>): ReactNode {
  const now = useNow(false);
  const { device, sessions_ended: sessions, passkeys_disabled: passkeys, passkeys_synced: synced, agents } = cut;
  const time = clockTime(device.state_changed_at ?? now.toISOString(), now);
  return (
    <div className="stack">
      <Title id="lost.done.title" values={{ device: device.name }} />
      <Lead id="lost.done.lead" values={{ time, sessions, passkeys }} />
      {agents === 0 ? null : (
        <p>
          <T id="lost.done.agents" values={{ agents }} />
        </p>
      )}
      {synced.length === 0 ? null : (
        <Card title={t("lost.synced.title")} tone="attention">
          <p>
            <T id="lost.synced.body" values={{ device: device.name }} />
          </p>
          <ul className="points">
            {synced.map((passkey) => (
              <li key={passkey.id}>{passkey.label}</li>
            ))}
          </ul>
        </Card>
      )}
      <ForEverCard device={device} onLater={onBack} />
    </div>
  );
}

function ForEver({ device, onBack }: Props): ReactNode {
  return (
    <div className="stack">
      <Title id="lost.done.title" values={{ device: device.name }} />
      <ForEverCard device={device} onLater={onBack} />
    </div>
  );
}

function ForEverCard({ device, onLater }: Readonly<{ device: DeviceInfo; onLater: () => void }>): ReactNode {
  const now = useNow(false);
  const [gone, setGone] = useState<DeviceCut | null>(null);
  const revoke = useAct((api, onView) => api.revokeDevice(device.name, onView));
  if (gone !== null) {
    const time = clockTime(gone.device.state_changed_at ?? now.toISOString(), now);
    return (
      <Card title={t("lost.gone.title", { device: device.name })}>
        <p role="status">{t("lost.gone.lead", { time })}</p>
        <Press onPress={onLater}>{t("lost.devices")}</Press>
      </Card>
    );
  }
  return (
    <Card title={t("lost.ever.title")}>
      <p>{t("lost.ever.body")}</p>
      {revoke.failure === null ? null : <Trouble failure={revoke.failure} />}
      <div className="actions">
        <Press onPress={onLater}>{t("lost.ever.later")}</Press>
        <Press kind="danger" onPress={() => void revoke.run().then(setGone)} isDisabled={revoke.busy}>
          {t("lost.ever.go")}
        </Press>
      </div>
      <PasskeyDialog view={revoke.view} />
    </Card>
  );
}
