import type { FlowView } from "@wire/FlowView";
import type { TokenPreview } from "@wire/TokenPreview";
import { type FormEvent, type ReactNode, useState } from "react";
import { Label, Text, TextArea, TextField } from "react-aria-components";
import { T, t } from "../../messages/react";
import type { Names } from "../api";
import { useAct } from "../hooks";
import { Card, Countdown, Fact, Lead, Press, Shoreline, Title } from "../parts/basics";
import { NameField } from "../parts/NameField";
import { Trouble } from "../parts/Trouble";
import { Entering } from "./Entering";
import type { Place } from "./Frame";

/** From a code of another device, or an invitation, to an identity on this machine. */
export function WithCode({ onIn, onBack }: Readonly<{ onIn: (place: Place) => void; onBack: () => void }>): ReactNode {
  const [text, setText] = useState("");
  const [preview, setPreview] = useState<TokenPreview | null>(null);
  const [last, setLast] = useState<FlowView | null>(null);
  const read = useAct((api) => api.readToken(text));
  const [names, setNames] = useState<Names>({ user: null, device: null });
  const enroll = useAct((api, onView, names: Names) => {
    const keep = (view: FlowView) => {
      setLast(view);
      onView(view);
    };
    return api.enroll(text, names, keep);
  });
  if (last !== null) {
    const again = () => void enroll.run(names);
    const { busy, failure } = enroll;
    return <Entering view={last} busy={busy} failure={failure} onIn={onIn} onAgain={again} onOver={() => startOver()} />;
  }
  if (preview !== null) {
    const go = (given: Names) => {
      setNames(given);
      void enroll.run(given);
    };
    return (
      <Confirm preview={preview} busy={enroll.busy} onYes={go} onOther={() => startOver()}>
        {enroll.failure === null ? null : <Trouble failure={enroll.failure} />}
      </Confirm>
    );
  }
  return (
    <Paste text={text} onText={setText} busy={read.busy} onGo={() => void read.run().then(setPreview)} onBack={onBack}>
      {read.failure === null ? null : <Trouble failure={read.failure} />}
    </Paste>
  );

  function startOver(): void {
    setLast(null);
    setPreview(null);
    setText("");
    enroll.clear();
    read.clear();
  }
}

type PasteProps = Readonly<{
  text: string;
  onText: (text: string) => void;
  busy: boolean;
  onGo: () => void;
  onBack: () => void;
  children: ReactNode;
}>;

function Paste({ text, onText, busy, onGo, onBack, children }: PasteProps): ReactNode {
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onGo();
  };
  return (
    <main className="shored">
      <div className="two">
        <div className="stack">
          <Title id="enter.title" />
          <Lead id="enter.lead" />
          <form className="stack" onSubmit={submit}>
            <TextField value={text} onChange={onText} className="stack tight" autoComplete="off" autoFocus>
              <Label>{t("enter.code")}</Label>
              <TextArea className="field mono" rows={3} spellCheck="false" />
              <Text slot="description" className="soft small">
                {t("enter.code.help")}
              </Text>
            </TextField>
            {children}
            <div className="actions">
              <Press type="submit" isDisabled={busy || text.trim() === ""}>
                {t("enter.go")}
              </Press>
              <Press kind="quiet" onPress={onBack}>
                {t("enter.other")}
              </Press>
              <span className="soft small">{t("enter.safe")}</span>
            </div>
          </form>
        </div>
        <aside className="stack">
          <Card tone="attention" title={t("enter.lost.title")}>
            <p>{t("enter.lost.body")}</p>
          </Card>
          <Card title={t("enter.none.title")}>
            <p className="soft">{t("enter.none.body")}</p>
          </Card>
        </aside>
      </div>
      <Shoreline filled={0} />
    </main>
  );
}

type ConfirmProps = Readonly<{
  preview: TokenPreview;
  busy: boolean;
  onYes: (names: Names) => void;
  onOther: () => void;
  children: ReactNode;
}>;

function Confirm({ preview, busy, onYes, onOther, children }: ConfirmProps): ReactNode {
  const [user, setUser] = useState("");
  const [device, setDevice] = useState("");
  const named = (preview.user ?? user.trim()) !== "" && (preview.device ?? device.trim()) !== "";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onYes({
      user: preview.user === null ? user.trim() : null,
      device: preview.device === null ? device.trim() : null,
    });
  };
  return (
    <main className="shored">
      <div className="two">
        <form className="stack" onSubmit={submit}>
          <Title id="confirm.title" />
          <Lead id="confirm.lead" />
          <CodeFacts preview={preview} />
          {preview.user === null ? (
            <NameField label="confirm.name.user" help="confirm.name.user.help" value={user} onChange={setUser} />
          ) : null}
          {preview.device === null ? (
            <NameField label="confirm.name.device" help="confirm.name.device.help" value={device} onChange={setDevice} />
          ) : null}
          {children}
          <div className="actions">
            <Press type="submit" isDisabled={busy || !named}>
              {t("confirm.go")}
            </Press>
            <Press kind="quiet" onPress={onOther} isDisabled={busy}>
              {t("confirm.other")}
            </Press>
          </div>
        </form>
        <aside className="stack">
          <Card tone="attention" title={t("confirm.stop.title")}>
            <p>{t("confirm.stop.body")}</p>
          </Card>
        </aside>
      </div>
      <Shoreline filled={0} />
    </main>
  );
}

function CodeFacts({ preview }: Readonly<{ preview: TokenPreview }>): ReactNode {
  const { server, user, tenant, device, kind, expires_at } = preview;
  return (
    <dl className="facts card">
      <Fact term="confirm.server">
        <span className="mono">{server}</span>
      </Fact>
      <Fact term="confirm.user">
        {user === null ? <T id="confirm.someone" values={{ tenant }} /> : <T id="confirm.who" values={{ user, tenant }} />}
      </Fact>
      {device === null ? null : <Fact term="confirm.device">{device}</Fact>}
      <Fact term="confirm.kind">{t(`confirm.kind.${kind}`)}</Fact>
      <Fact term="confirm.until">
        <Countdown until={expires_at} />
      </Fact>
    </dl>
  );
}
