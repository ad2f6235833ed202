import type { RecoveryInfo } from "@wire/RecoveryInfo";
import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import { clockTime } from "../../messages/format";
import { t } from "../../messages/react";
import { useAct, useLoaded, useNow } from "../hooks";
import { Lead, Pill, Press, Title } from "../parts/basics";
import { NameField } from "../parts/NameField";
import { isUnderWay, Shown, stands } from "../parts/recovery";
import { Trouble } from "../parts/Trouble";
import { Waiting } from "../parts/Waiting";
import { Review } from "./Review";

const LOOK_EVERY_MS = 5000;

type Props = Readonly<{ user: string; onChanged: () => void }>;
/** What is being decided about, with what was typed to find it. */
type Reviewed = Readonly<{ info: RecoveryInfo; check: string }>;

/** The administrators' queue: who has lost their devices and asks to be let in. */
export function Queue({ user, onChanged }: Props): ReactNode {
  const queue = useLoaded((api) => api.queue());
  const [reviewed, setReviewed] = useState<Reviewed | null>(null);
  const { reload } = queue;
  useEffect(() => {
    if (reviewed !== null) return undefined;
    const timer = setInterval(reload, LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, [reload, reviewed]);
  if (reviewed !== null) {
    const back = () => {
      setReviewed(null);
      reload();
      onChanged();
    };
    return <Review info={reviewed.info} check={reviewed.check} own={reviewed.info.user === user} onBack={back} />;
  }
  return (
    <>
      <Title id="queue.title" />
      <Lead id="queue.lead" />
      <Waiting of={queue}>
        {(all) =>
          all.length === 0 ? (
            <p className="card">{t("queue.none")}</p>
          ) : (
            <>
              <Find onFound={(info, check) => setReviewed({ info, check })} />
              <Table all={all} user={user} onReview={(info) => setReviewed({ info, check: "" })} />
            </>
          )
        }
      </Waiting>
    </>
  );
}

/** Whoever is on the phone reads out what their new machine shows: that leads to theirs among any number. */
function Find({ onFound }: Readonly<{ onFound: (info: RecoveryInfo, check: string) => void }>): ReactNode {
  const [check, setCheck] = useState("");
  const find = useAct((api) => api.findRecovery(check));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void find.run().then((info) => info !== null && onFound(info, check));
  };
  return (
    <form className="card stack tight" onSubmit={submit}>
      <NameField label="queue.find" help="queue.find.help" value={check} onChange={setCheck} />
      {find.failure === null ? null : <Trouble failure={find.failure} />}
      <div className="actions">
        <Press type="submit" isDisabled={find.busy || check.trim() === ""}>
          {t("queue.find.go")}
        </Press>
      </div>
    </form>
  );
}

type TableProps = Readonly<{ all: readonly RecoveryInfo[]; user: string; onReview: (info: RecoveryInfo) => void }>;

function Table({ all, user, onReview }: TableProps): ReactNode {
  const now = useNow(false);
  return (
    <div className="card queue">
      <table>
        <thead>
          <tr>
            <th scope="col">{t("queue.who")}</th>
            <th scope="col">{t("queue.asks")}</th>
            <th scope="col">{t("queue.shown")}</th>
            <th scope="col">{t("queue.state")}</th>
            <th scope="col">
              <span className="hidden-but-read">{t("queue.act")}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {all.map((info) => (
            <tr key={info.id}>
              <th scope="row">
                {info.user}
                <div className="soft small">{t(info.user === user ? "queue.own" : `queue.role.${info.role}`)}</div>
              </th>
              <td>
                <span className="mono">{info.device}</span>
                <div className="soft small">{t("queue.from", { source: info.source, time: clockTime(info.begun_at, now) })}</div>
              </td>
              <td>
                <Shown proofs={info.proofs} />
              </td>
              <td>
                {isUnderWay(info) ? stands(info, now) : <Pill>{stands(info, now)}</Pill>}
              </td>
              <td>
                {isUnderWay(info) ? (
                  <Press onPress={() => onReview(info)} aria-label={t("queue.review.named", { user: info.user })}>
                    {t("queue.review")}
                  </Press>
                ) : null}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
