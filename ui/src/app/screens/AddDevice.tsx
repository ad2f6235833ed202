import type { Frozen } from "@wire/Frozen";
import type { NewToken } from "@wire/NewToken";
import type { TokenInfo } from "@wire/TokenInfo";
import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import { clockTime, remaining } from "../../messages/format";
import { T, t } from "../../messages/react";
import { useAct, useApi, useNow } from "../hooks";
import { Card, Countdown, Lead, Press, Say, Title } from "../parts/basics";
import { NameField } from "../parts/NameField";
import { PasskeyDialog } from "../parts/PasskeyDialog";
import { Qr } from "../parts/Qr";
import { Trouble } from "../parts/Trouble";

const LOOK_EVERY_MS = 2000;

/** A code that lets one new machine in, and who used it. */
export function AddDevice({ onBack }: Readonly<{ onBack: () => void }>): ReactNode {
  const [name, setName] = useState("");
  const [made, setMade] = useState<NewToken | null>(null);
  const mint = useAct((api, onView) => api.addDevice(name.trim(), onView));
  if (made !== null) return <Code token={made} device={name.trim()} onBack={onBack} onAnother={() => setMade(null)} />;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void mint.run().then(setMade);
  };
  return (
    <form className="stack narrow" onSubmit={submit}>
      <Title id="add.title" />
      <Lead id="add.lead" />
      <NameField label="add.name" help="add.name.help" value={name} onChange={setName} />
      {mint.failure === null ? null : <Trouble failure={mint.failure} />}
      <div className="actions">
        <Press type="submit" isDisabled={mint.busy || name.trim() === ""}>
          {t("add.go")}
        </Press>
        <Press kind="quiet" onPress={onBack}>
          {t("back")}
        </Press>
      </div>
      <PasskeyDialog view={mint.view} />
    </form>
  );
}

type CodeProps = Readonly<{ token: NewToken; device: string; onBack: () => void; onAnother: () => void }>;

function Code({ token, device, onBack, onAnother }: CodeProps): ReactNode {
  const info = useTokenInfo(token.info);
  const cancel = useAct((api) => api.cancelToken(info.id));
  if (info.state === "consumed") return <Used info={info} device={device} onBack={onBack} />;
  if (info.state !== "issued") return <Over state={info.state} onBack={onBack} onAnother={onAnother} />;
  return (
    <div className="stack">
      <Title id="add.code.title" values={{ device }} />
      <Lead id="add.code.lead" />
      <div className="code-and-picture">
        <div className="stack">
          <TheCode text={token.text} />
          <Card>
            <p>
              <strong>{t("add.code.waiting", { device })}</strong>
            </p>
            <p className="soft">
              <Countdown until={info.expires_at} />
            </p>
            {info.refused_tries === 0 ? null : <p>{t("add.code.tries", { count: info.refused_tries })}</p>}
          </Card>
        </div>
        <Qr picture={token.qr} />
      </div>
      {cancel.failure === null ? null : <Trouble failure={cancel.failure} />}
      <div className="actions">
        <Press kind="quiet" onPress={() => void cancel.run().then((gone) => gone !== null && onBack())} isDisabled={cancel.busy}>
          {t("add.code.cancel")}
        </Press>
      </div>
    </div>
  );
}

function TheCode({ text }: Readonly<{ text: string }>): ReactNode {
  const [until, setUntil] = useState<string | null>(null);
  const copy = useAct((api) => api.copyText(text));
  const now = useNow(until !== null);
  const held = until !== null && Date.parse(until) > now.getTime();
  return (
    <>
      <p className="token mono" data-testid="token">
        {text}
      </p>
      <div className="actions">
        <Press onPress={() => void copy.run().then((copied) => setUntil(copied?.clears_at ?? null))}>{t("copy")}</Press>
        <Say>{held ? t("add.code.copied", { left: remaining(until, now) }) : null}</Say>
      </div>
      {copy.failure === null ? null : <Trouble failure={copy.failure} />}
    </>
  );
}

function Used({ info, device, onBack }: Readonly<{ info: TokenInfo; device: string; onBack: () => void }>): ReactNode {
  const now = useNow(false);
  const [frozen, setFrozen] = useState<Frozen | null>(null);
  const freeze = useAct((api) => api.freeze());
  if (frozen !== null) {
    return (
      <div className="stack narrow">
        <Title id="freeze.done.title" />
        <Lead id="freeze.done.body" values={{ count: frozen.sessions_ended }} />
      </div>
    );
  }
  const who = info.consumed_by ?? device;
  const time = info.consumed_at === null ? "" : clockTime(info.consumed_at, now);
  return (
    <div className="stack narrow">
      <Title id="add.code.used" values={{ device: who }} />
      <Lead id="add.code.used.body" values={{ time }} />
      {freeze.failure === null ? null : <Trouble failure={freeze.failure} />}
      <div className="actions apart">
        <Press onPress={onBack}>{t("add.code.yes")}</Press>
        <Press kind="danger" onPress={() => void freeze.run().then(setFrozen)} isDisabled={freeze.busy}>
          {t("add.code.not-me")}
        </Press>
      </div>
    </div>
  );
}

type OverProps = Readonly<{ state: "expired" | "cancelled"; onBack: () => void; onAnother: () => void }>;

function Over({ state, onBack, onAnother }: OverProps): ReactNode {
  return (
    <div className="stack narrow">
      <Title id="add.title" />
      <p className="lead">
        <T id={`add.code.${state}`} />
      </p>
      <div className="actions">
        <Press onPress={onAnother}>{t("add.code.another")}</Press>
        <Press kind="quiet" onPress={onBack}>
          {t("back")}
        </Press>
      </div>
    </div>
  );
}

/** The token as it stands, looked at again while somebody may use it. */
function useTokenInfo(first: TokenInfo): TokenInfo {
  const api = useApi();
  const [info, setInfo] = useState(first);
  const open = info.state === "issued";
  useEffect(() => {
    if (!open) return undefined;
    // A look that fails is made up for by the next one.
    const timer = setInterval(() => void api.token(first.id).then(setInfo, () => undefined), LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, [api, first.id, open]);
  return info;
}
