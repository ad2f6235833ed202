import type { DeviceInfo } from "@wire/DeviceInfo";
import { type ReactNode, useState } from "react";
import { clockTime } from "../../messages/format";
import { t } from "../../messages/react";
import { useLoaded, useNow } from "../hooks";
import { Lead, Pill, Press, Title } from "../parts/basics";
import { Waiting } from "../parts/Waiting";
import { AddDevice } from "./AddDevice";
import { LostDevice } from "./LostDevice";

/** What the devices screen shows. */
export type DevicesView = { at: "list" } | { at: "add" } | { at: "lost"; device: DeviceInfo };

/** My devices: which there are, add one, cut one off. */
export function Devices({ start }: Readonly<{ start: "list" | "add" }>): ReactNode {
  const [view, setView] = useState<DevicesView>({ at: start });
  const devices = useLoaded((api) => api.devices());
  const list = () => {
    devices.reload();
    setView({ at: "list" });
  };
  if (view.at === "add") return <AddDevice onBack={list} />;
  if (view.at === "lost") return <LostDevice device={view.device} onBack={list} />;
  return (
    <>
      <div className="heading-row">
        <Title id="devices.title" />
        <Press onPress={() => setView({ at: "add" })}>{t("devices.add")}</Press>
      </div>
      <Lead id="devices.lead" />
      <Waiting of={devices}>
        {(all) => (
          <ul className="rows card">
            {all.map((device) => (
              <Row key={device.name} device={device} onLost={() => setView({ at: "lost", device })} />
            ))}
          </ul>
        )}
      </Waiting>
    </>
  );
}

const TONES = { active: "ok", suspended: "warn", revoked: "bad" } as const;

function Row({ device, onLost }: Readonly<{ device: DeviceInfo; onLost: () => void }>): ReactNode {
  const now = useNow(false);
  const { name, label, state, this_device, last_seen_at: seen, state_changed_at: since } = device;
  const when =
    state !== "active" && since !== null
      ? t("devices.since", { time: clockTime(since, now) })
      : seen === null
        ? t("devices.seen.never")
        : t("devices.seen", { time: clockTime(seen, now) });
  return (
    <li className="row">
      <div className="grow">
        <strong>{name}</strong> {label === null ? null : <span className="soft">{label}</span>}
        <div className="soft small">{when}</div>
      </div>
      {this_device ? <Pill>{t("devices.this")}</Pill> : null}
      <Pill tone={TONES[state]}>{t(`devices.state.${state}`)}</Pill>
      {this_device || state === "revoked" ? null : (
        <Press kind="quiet" onPress={onLost} aria-label={`${t(state === "active" ? "devices.lost" : "devices.for-ever")}: ${name}`}>
          {t(state === "active" ? "devices.lost" : "devices.for-ever")}
        </Press>
      )}
    </li>
  );
}
