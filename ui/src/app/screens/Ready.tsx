import type { RecoveryCodeInfo } from "@wire/RecoveryCodeInfo";
import { type ReactNode, useState } from "react";
import { clockTime } from "../../messages/format";
import { t } from "../../messages/react";
import { type Loaded, useLoaded, useNow } from "../hooks";
import { Card, Lead, Pill, Press, Title } from "../parts/basics";
import { isUnderWay } from "../parts/recovery";
import { Waiting } from "../parts/Waiting";
import { Addresses } from "./Addresses";
import { MakeCodes } from "./MakeCodes";
import { Asking } from "./Asking";

/** What lets a person back in, where they hear of things, and who is on their way in as them. */
export function Ready({ onChanged }: Readonly<{ onChanged: () => void }>): ReactNode {
  const [making, setMaking] = useState(false);
  const codes = useLoaded((api) => api.codes());
  const asking = useLoaded((api) => api.recoveries());
  if (making) {
    const back = () => {
      codes.reload();
      setMaking(false);
    };
    return <MakeCodes has={codes.value?.some(isLive) ?? true} onBack={back} />;
  }
  return (
    <>
      <Title id="ready.title" />
      <Lead id="ready.lead" />
      {asking.value?.filter(isUnderWay).map((info) => <Asking key={info.id} info={info} onStopped={onChanged} />)}
      <Codes codes={codes} onMake={() => setMaking(true)} />
      <Addresses />
    </>
  );
}

function isLive({ state }: RecoveryCodeInfo): boolean {
  return state === "live";
}

/** Fewer than this many are nearly none. */
const LOW = 3;

function Codes({ codes, onMake }: Readonly<{ codes: Loaded<RecoveryCodeInfo[]>; onMake: () => void }>): ReactNode {
  const now = useNow(false);
  const [each, setEach] = useState(false);
  return (
    <Waiting of={codes}>
      {(all) => {
        const live = all.filter(isLive);
        const made = live.map((code) => code.made_at).sort()[0];
        return (
          <Card title={t("codes.title")} {...(live.length === 0 ? { tone: "attention" as const } : {})}>
            {made === undefined ? (
              <p>
                <Pill tone="warn">{t("codes.none")}</Pill> {t("codes.none.body")}
              </p>
            ) : (
              <p>
                <Pill tone={live.length < LOW ? "warn" : "ok"}>{t(live.length < LOW ? "codes.low" : "codes.some")}</Pill>{" "}
                {t(live.length === 1 ? "codes.count.one" : "codes.count.other", { count: live.length, made: clockTime(made, now) })}
              </p>
            )}
            <div className="actions">
              <Press onPress={onMake} kind={live.length < LOW ? "primary" : "quiet"}>
                {t(live.length === 0 ? "codes.make" : "codes.again")}
              </Press>
              {all.length === 0 ? null : (
                <Press kind="quiet" onPress={() => setEach(!each)} aria-expanded={each}>
                  {t("codes.each")}
                </Press>
              )}
            </div>
            {each ? <Each codes={all} now={now} /> : null}
          </Card>
        );
      }}
    </Waiting>
  );
}

function Each({ codes, now }: Readonly<{ codes: readonly RecoveryCodeInfo[]; now: Date }>): ReactNode {
  return (
    <ul className="each">
      {codes.map((code) => (
        <li key={code.name}>
          <span className="mono">{code.name}</span>
          <Pill tone={code.state === "live" ? "ok" : "plain"}>
            {t(`codes.state.${code.state}`, {
              device: code.used_by ?? "",
              time: code.ended_at === null ? "" : clockTime(code.ended_at, now),
            })}
          </Pill>
        </li>
      ))}
    </ul>
  );
}
