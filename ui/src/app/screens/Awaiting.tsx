import type { FlowFailure } from "@wire/FlowFailure";
import type { RecoveryChange } from "@wire/RecoveryChange";
import type { RecoveryHere } from "@wire/RecoveryHere";
import { type FormEvent, type ReactNode, useState } from "react";
import { clockTime, remaining, spanWords } from "../../messages/format";
import { T, t } from "../../messages/react";
import { useNow } from "../hooks";
import { Card, Lead, Pill, Press, Say, Shoreline, Title } from "../parts/basics";
import { NameField } from "../parts/NameField";
import { share } from "../parts/Steps";
import { Trouble } from "../parts/Trouble";

type Props = Readonly<{
  here: RecoveryHere;
  busy: boolean;
  failure: FlowFailure | null;
  onChange: (change: RecoveryChange) => void;
  onLeave: () => void;
}>;

/** Others must say yes, or time must pass: what to do, what happens next, by when, and that the window may be closed. */
export function Awaiting(props: Props): ReactNode {
  const { here, failure } = props;
  const held = here.status?.held_until ?? null;
  return (
    <main className="shored">
      <div className="two">
        <div className="stack">
          {held === null ? <Call here={here} /> : <Held until={held} />}
          <Say>{note(here)}</Say>
          {failure === null ? null : <Trouble failure={failure} />}
          <Others {...props} held={held !== null} />
        </div>
        <aside className="stack">
          {held === null ? <Next /> : null}
          <MayClose until={here.flow.expires_at} />
          {held === null ? null : (
            <Card title={t("recovering.held.sooner.title")}>
              <p className="soft">{t("recovering.held.sooner.body")}</p>
            </Card>
          )}
        </aside>
      </div>
      <Shoreline filled={share(here.flow)} />
    </main>
  );
}

/** What else there is to know while it waits. */
function note({ flow, status }: RecoveryHere): string | null {
  if (flow.failure !== null) return t("recovering.offline");
  if (status?.account_stopped === true) return t("recovering.stopped");
  if (status?.account_frozen === true) return t("recovering.frozen");
  const [passed, left] = [status?.wait_passed_seconds ?? 0, status?.wait_left_seconds ?? 0];
  if (status?.state === "unheard" && passed > 0) {
    return t("recovering.unheard.on", { passed: spanWords(passed), left: spanWords(left) });
  }
  if (status?.state === "unheard" || status?.state === "contested") return t(`recovering.${status.state}`);
  return null;
}

function Call({ here }: Readonly<{ here: RecoveryHere }>): ReactNode {
  const proofs = here.status?.proofs ?? [];
  return (
    <>
      <Title id="recovering.call.title" />
      <Lead id="recovering.call.lead" />
      <p className="check mono">
        <span className="hidden-but-read">{t("recovering.check")}: </span>
        {here.check_code}
      </p>
      <p className="soft">{t("recovering.check.warn")}</p>
      <p className="shown">
        <span className="soft">{t("recovering.shown")}</span>
        {proofs.length === 0 ? <Pill>{t("recovering.shown.none")}</Pill> : null}
        {proofs.map((proof, place) => (
          <Pill key={place} tone="ok">
            {t(`proof.${proof}`)}
          </Pill>
        ))}
      </p>
    </>
  );
}

function Held({ until }: Readonly<{ until: string }>): ReactNode {
  const now = useNow(true);
  return (
    <>
      <Title id="recovering.held.title" values={{ time: clockTime(until, now) }} />
      <Lead id="recovering.held.lead" />
      <p className="check mono">
        {remaining(until, now)}
        <span className="soft unit">{t("recovering.held.left")}</span>
      </p>
    </>
  );
}

function Next(): ReactNode {
  return (
    <Card title={t("recovering.next.title")}>
      <ol className="points">
        <li>{t("recovering.next.1")}</li>
        <li>{t("recovering.next.2")}</li>
        <li>{t("recovering.next.3")}</li>
      </ol>
    </Card>
  );
}

function MayClose({ until }: Readonly<{ until: string | null }>): ReactNode {
  const now = useNow(false);
  if (until === null) return null;
  return (
    <Card tone="attention" title={t("recovering.close.title")}>
      <p>
        <T id="recovering.close.body" values={{ time: clockTime(until, now) }} />
      </p>
    </Card>
  );
}

/** A code that turned up after all, and another way. */
function Others({ here, busy, held, onChange, onLeave }: Props & Readonly<{ held: boolean }>): ReactNode {
  const [doing, setDoing] = useState<"nothing" | "code" | "leave">("nothing");
  const [code, setCode] = useState("");
  const proved = here.status?.proofs.includes("recovery-code") ?? false;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onChange({ change: "code", code });
  };
  if (doing === "code" && !proved) {
    return (
      <form className="stack card" onSubmit={submit}>
        <NameField label="recovering.code.first" help="sheet.code.help" value={code} onChange={setCode} first />
        <div className="actions">
          <Press type="submit" isDisabled={busy || code.trim() === ""}>
            {t("recovering.code.go")}
          </Press>
          <Press kind="quiet" onPress={() => setDoing("nothing")}>
            {t("cancel")}
          </Press>
        </div>
      </form>
    );
  }
  if (doing === "leave") {
    return (
      <Card tone="danger" title={t("recovering.leave.title")}>
        <p>{t("recovering.leave.body")}</p>
        <div className="actions">
          <Press onPress={() => setDoing("nothing")}>{t("recovering.leave.no")}</Press>
          <Press kind="danger" onPress={onLeave}>
            {t("recovering.leave.yes")}
          </Press>
        </div>
      </Card>
    );
  }
  return (
    <div className="actions">
      {proved || held ? null : (
        <Press kind="quiet" onPress={() => setDoing("code")}>
          {t("recovering.has-code")}
        </Press>
      )}
      <Press kind="quiet" onPress={() => setDoing("leave")}>
        {t("recovering.leave")}
      </Press>
    </div>
  );
}
