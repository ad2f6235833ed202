import type { ApprovalInfo } from "@wire/ApprovalInfo";
import { type ReactNode, useEffect, useState } from "react";
import { actWords } from "../../messages/acts";
import { clockTime } from "../../messages/format";
import { Sentence, t } from "../../messages/react";
import { useAct, useLoaded, useNow } from "../hooks";
import { Card, Countdown, Fact, Lead, Pill, Press, Say, Title } from "../parts/basics";
import { PasskeyDialog } from "../parts/PasskeyDialog";
import { Trouble } from "../parts/Trouble";
import { Waiting } from "../parts/Waiting";

const LOOK_EVERY_MS = 5000;

type Props = Readonly<{ user: string; onChanged: () => void }>;

/** What one's agents ask for beyond what they may do: the difference, and one's answer. */
export function Approvals({ user, onChanged }: Props): ReactNode {
  const approvals = useLoaded((api) => api.approvals());
  const [answered, setAnswered] = useState<ApprovalInfo | null>(null);
  const now = useNow(false);
  const { reload } = approvals;
  useEffect(() => {
    const timer = setInterval(reload, LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, [reload]);
  const heard = (info: ApprovalInfo) => {
    setAnswered(info);
    reload();
    onChanged();
  };
  return (
    <>
      <Title id="approvals.title" />
      <Lead id="approvals.lead" />
      <Say>{answered === null ? null : outcome(answered, now)}</Say>
      <Waiting of={approvals}>
        {(all) => {
          const open = all.filter(({ id, state }) => state === "open" && id !== answered?.id);
          const past = all.filter(({ state }) => state !== "open");
          return (
            <div className="stack">
              {open.length === 0 ? <p className="card">{t("approvals.none")}</p> : null}
              {open.map((info) => (
                <Asked key={info.id} info={info} user={user} onAnswered={heard} />
              ))}
              {past.length === 0 ? null : <Past all={past} />}
            </div>
          );
        }}
      </Waiting>
    </>
  );
}

function outcome({ agent, state, expires_at: until }: ApprovalInfo, now: Date): string {
  return t(`approvals.is.${state}`, { agent, time: clockTime(until, now) });
}

type AskedProps = Readonly<{ info: ApprovalInfo; user: string; onAnswered: (info: ApprovalInfo) => void }>;

function Asked({ info, user, onAnswered }: AskedProps): ReactNode {
  const grant = useAct((api, onView) => api.grantApproval(info, onView));
  const refuse = useAct((api) => api.refuseApproval(info.id));
  const answer = (given: Promise<ApprovalInfo | null>) => void given.then((done) => done !== null && onAnswered(done));
  const busy = grant.busy || refuse.busy;
  const failure = grant.failure ?? refuse.failure;
  const act = { act: "grant-scope", approval: info.id, agent: info.agent, scope: info.scope.join(" "), audience: info.audience.join(" ") } as const;
  return (
    <Card tone="attention" title={<span className="mono">{info.agent}</span>}>
      <dl className="facts tight">
        <Fact term="approvals.wants">
          <Difference {...info} />
        </Fact>
        <Fact term="approvals.where">
          <span className="mono">{info.audience.join(", ")}</span>
        </Fact>
        {info.reason === null ? null : <Fact term="approvals.says">{t("approvals.quote", { reason: info.reason })}</Fact>}
        <Fact term="approvals.until">
          <Countdown until={info.expires_at} />
        </Fact>
      </dl>
      <p className="soft small">{t("approvals.words")}</p>
      <p className="act">
        <Sentence parts={actWords(act, user)} />
      </p>
      {failure === null ? null : <Trouble failure={failure} />}
      <div className="actions">
        <Press onPress={() => answer(grant.run())} isDisabled={busy} aria-label={t("approvals.allow.named", { agent: info.agent })}>
          {t("approvals.allow")}
        </Press>
        <Press kind="quiet" onPress={() => answer(refuse.run())} isDisabled={busy} aria-label={t("approvals.refuse.named", { agent: info.agent })}>
          {t("approvals.refuse")}
        </Press>
      </div>
      <PasskeyDialog view={grant.view} />
    </Card>
  );
}

/** What it wants, each with whether it may do that anyway. */
function Difference({ scope, missing }: Pick<ApprovalInfo, "scope" | "missing">): ReactNode {
  return (
    <span className="shown">
      {scope.map((word) => {
        const isNew = missing.includes(word);
        return (
          <Pill key={word} tone={isNew ? "warn" : "ok"}>
            {t(isNew ? "approvals.new" : "approvals.may", { word })}
          </Pill>
        );
      })}
    </span>
  );
}

function Past({ all }: Readonly<{ all: readonly ApprovalInfo[] }>): ReactNode {
  const now = useNow(false);
  return (
    <Card title={t("approvals.past")}>
      <ul className="points">
        {all.map((info) => (
          <li key={info.id}>
            {outcome(info, now)} <span className="soft small mono">{info.scope.join(" ")}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
