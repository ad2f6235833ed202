import type { RecoveryInfo } from "@wire/RecoveryInfo";
import { type FormEvent, type ReactNode, useState } from "react";
import { actWords } from "../../messages/acts";
import { clockTime } from "../../messages/format";
import { Sentence, T, t } from "../../messages/react";
import { useAct, useNow } from "../hooks";
import { Card, Fact, Lead, Press, Title } from "../parts/basics";
import { NameField } from "../parts/NameField";
import { PasskeyDialog } from "../parts/PasskeyDialog";
import { Shown, stands } from "../parts/recovery";
import { Trouble } from "../parts/Trouble";

type Props = Readonly<{ info: RecoveryInfo; check: string; own: boolean; onBack: () => void }>;

/** One decision of an administrator: is this the person, or somebody else in their name? */
export function Review({ info, check, own, onBack }: Props): ReactNode {
  const [approved, setApproved] = useState<RecoveryInfo | null>(null);
  const [refused, setRefused] = useState(false);
  const approve = useAct((api, onView, check: string, reason: string) => api.approve(info.id, check, reason, onView));
  const refuse = useAct((api, onView) => api.refuse(info.id, onView));
  const { user } = info;
  if (approved !== null) return <Approved info={approved} onBack={onBack} />;
  if (refused) {
    return (
      <div className="stack">
        <Title id="refused.title" values={{ device: info.device }} />
        <Lead id="refused.body" values={{ user }} />
        <div className="actions">
          <Press onPress={onBack}>{t("queue.back")}</Press>
        </div>
      </div>
    );
  }
  const busy = approve.busy || refuse.busy;
  const failure = approve.failure ?? refuse.failure;
  return (
    <div className="stack">
      <Title id={own ? "review.own.title" : "review.title"} values={{ user }} />
      <Lead id={own ? "review.own.body" : "review.lead"} values={{ user }} />
      {own ? <Facts info={info} /> : null}
      {own ? null : <Vouch info={info} read={check} busy={busy} onApprove={(check, reason) => void approve.run(check, reason).then(setApproved)} />}
      {failure === null ? null : <Trouble failure={failure} />}
      <div className="actions apart">
        <Press kind="quiet" onPress={onBack} isDisabled={busy}>
          {t("queue.back")}
        </Press>
        <span className="actions">
          <span className="soft small">
            <T id="review.refuse.why" values={{ user }} />
          </span>
          <Press kind="danger" onPress={() => void refuse.run().then((done) => done !== null && setRefused(true))} isDisabled={busy}>
            {t("review.refuse", { user })}
          </Press>
        </span>
      </div>
      <PasskeyDialog view={approve.view ?? refuse.view} />
    </div>
  );
}

function Facts({ info }: Readonly<{ info: RecoveryInfo }>): ReactNode {
  const now = useNow(false);
  return (
    <dl className="facts card tight">
      <Fact term="review.role">{t(`review.role.${info.role}`)}</Fact>
      <Fact term="review.device">
        <span className="mono">{info.device}</span>
      </Fact>
      <Fact term="review.from">
        <span className="mono">{info.source}</span>
      </Fact>
      <Fact term="review.since">{clockTime(info.begun_at, now)}</Fact>
      <Fact term="queue.shown">
        <Shown proofs={info.proofs} />
      </Fact>
      <Fact term="queue.state">{stands(info, now)}</Fact>
      <Fact term="review.until">{clockTime(info.expires_at, now)}</Fact>
    </dl>
  );
}

type VouchProps = Readonly<{ info: RecoveryInfo; read: string; busy: boolean; onApprove: (check: string, reason: string) => void }>;

/** The call first, then what only the person's own machine can tell, then the exact words that are confirmed. */
function Vouch({ info, read, busy, onApprove }: VouchProps): ReactNode {
  const [check, setCheck] = useState(read);
  const [reason, setReason] = useState("");
  const { user, id, thumbprint } = info;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onApprove(check, reason);
  };
  const shown = reason.trim() === "" ? t("review.reason.open") : reason.trim();
  return (
    <form className="stack" onSubmit={submit}>
      <div className="pair">
        <Facts info={info} />
        <Card tone="attention" title={t("review.call.title", { user })}>
          <ol className="points">
            <li>{t("review.call.1")}</li>
            <li>{t("review.call.2")}</li>
            <li>{t("review.call.3")}</li>
          </ol>
        </Card>
      </div>
      <div className="pair">
        <NameField label="review.check" help="review.check.help" value={check} onChange={setCheck} />
        <NameField label="review.reason" help="review.reason.help" value={reason} onChange={setReason} plain />
      </div>
      <Card title={t("review.words")}>
        <p className="act mono">
          <Sentence parts={actWords({ act: "approve-recovery", recovery: id, user, thumbprint, reason: shown }, user)} />
        </p>
        <p className="soft">
          <T id="review.hold" values={{ user }} />
        </p>
      </Card>
      <div className="actions">
        <Press type="submit" isDisabled={busy || check.trim() === "" || reason.trim() === ""}>
          {t("review.go")}
        </Press>
      </div>
    </form>
  );
}

function Approved({ info, onBack }: Readonly<{ info: RecoveryInfo; onBack: () => void }>): ReactNode {
  const now = useNow(false);
  const { user } = info;
  const open = info.state === "held" || info.state === "unproved" ? info.state : "ready";
  const how = info.account_frozen ? "frozen" : open;
  const time = info.held_until === null ? "" : clockTime(info.held_until, now);
  return (
    <div className="stack">
      <Title id={`approved.title.${how}`} values={{ user, time }} />
      <Lead id={`approved.${how}.body`} values={{ user }} />
      <div className="actions">
        <Press onPress={onBack}>{t("queue.back")}</Press>
      </div>
    </div>
  );
}
