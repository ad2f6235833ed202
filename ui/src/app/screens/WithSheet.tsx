import type { RecoveryPreview } from "@wire/RecoveryPreview";
import type { RecoveryTyped } from "@wire/RecoveryTyped";
import { type FormEvent, type ReactNode, useState } from "react";
import { Label, Text, TextArea, TextField } from "react-aria-components";
import { T, t } from "../../messages/react";
import { useAct } from "../hooks";
import { Card, Fact, Lead, Press, Shoreline, Title } from "../parts/basics";
import { NameField } from "../parts/NameField";
import { Trouble } from "../parts/Trouble";

type By = "sheet" | "help";
type Props = Readonly<{ by: By; onBegin: (typed: RecoveryTyped) => void; onBack: () => void }>;
type Paper = Readonly<{ server: string; user: string; code: string }>;

/** With a recovery sheet, or with an administrator's word alone: what is typed, then what it leads to. */
export function WithSheet({ by, onBegin, onBack }: Props): ReactNode {
  const [paper, setPaper] = useState<Paper>({ server: "", user: "", code: "" });
  const [preview, setPreview] = useState<RecoveryPreview | null>(null);
  const typed = { ...paper, code: by === "sheet" ? paper.code : null, device: "", lost: null };
  const read = useAct((api) => api.readSheet(typed));
  if (preview !== null) return <Confirm typed={typed} preview={preview} onYes={onBegin} onBack={() => setPreview(null)} />;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void read.run().then(setPreview);
  };
  const whole = [paper.server, paper.user, by === "sheet" ? paper.code : "-"].every((text) => text.trim() !== "");
  return (
    <main className="shored">
      <div className="two">
        <form className="stack" onSubmit={submit}>
          <Title id={`sheet.title.${by}`} />
          <Lead id={`sheet.lead.${by}`} />
          <ServerField by={by} value={paper.server} onChange={(server) => setPaper({ ...paper, server })} />
          <NameField label="sheet.user" help="sheet.user.help" value={paper.user} onChange={(user) => setPaper({ ...paper, user })} />
          {by === "sheet" ? (
            <NameField label="sheet.code" help="sheet.code.help" value={paper.code} onChange={(code) => setPaper({ ...paper, code })} />
          ) : null}
          {read.failure === null ? null : <Trouble failure={read.failure} />}
          <div className="actions">
            <Press type="submit" isDisabled={read.busy || !whole}>
              {t("enter.go")}
            </Press>
            <Press kind="quiet" onPress={onBack}>
              {t("enter.other")}
            </Press>
          </div>
        </form>
        <aside className="stack">
          <Card title={t("sheet.who.title")}>
            <p className="soft">{t("sheet.who.body")}</p>
          </Card>
          {by === "help" ? (
            <Card title={t("sheet.help.title")}>
              <p className="soft">{t("sheet.help.body")}</p>
            </Card>
          ) : null}
        </aside>
      </div>
      <Shoreline filled={0} />
    </main>
  );
}

type FieldProps = Readonly<{ by: By; value: string; onChange: (value: string) => void }>;

function ServerField({ by, value, onChange }: FieldProps): ReactNode {
  return (
    <TextField value={value} onChange={onChange} className="stack tight" autoComplete="off" autoFocus>
      <Label>{t("sheet.server")}</Label>
      <TextArea className="field mono" rows={2} spellCheck="false" autoCapitalize="none" />
      <Text slot="description" className="soft small">
        {t(`sheet.server.help.${by}`)}
      </Text>
    </TextField>
  );
}

type ConfirmProps = Readonly<{
  typed: RecoveryTyped;
  preview: RecoveryPreview;
  onYes: (typed: RecoveryTyped) => void;
  onBack: () => void;
}>;

/** What happens to the lost machine and to the secrets is said before the button. */
function Confirm({ typed, preview, onYes, onBack }: ConfirmProps): ReactNode {
  const [device, setDevice] = useState("");
  const [typedLost, setLost] = useState("");
  const lost = typedLost.trim();
  const all: RecoveryTyped = { ...typed, device: device.trim(), lost: lost === "" ? null : lost };
  const check = useAct((api) => api.readSheet(all));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void check.run().then((good) => good !== null && onYes(all));
  };
  return (
    <main className="shored">
      <div className="one">
        <form className="stack" onSubmit={submit}>
          <Title id="begin.title" />
          <Lead id="begin.lead" />
          <dl className="facts card tight">
            <Fact term="confirm.server">
              <span className="mono">{preview.server}</span>
              {preview.pinned ? <span className="soft"> {t("begin.pinned")}</span> : null}
            </Fact>
            <Fact term="confirm.user">{preview.user}</Fact>
            <Fact term="begin.with">{t(preview.code ? "begin.with.code" : "begin.with.help")}</Fact>
          </dl>
          <div className="pair">
            <NameField label="confirm.name.device" help="begin.device.help" value={device} onChange={setDevice} first />
            <NameField label="begin.lost" help="begin.lost.help" value={typedLost} onChange={setLost} />
          </div>
          <div className="pair">
            <Card tone="attention" title={t("begin.lost.title")}>
              <p>
                {lost === "" ? <T id="begin.lost.unnamed" /> : <T id="begin.lost.named" values={{ device: lost }} />}
              </p>
            </Card>
            <Card title={t("begin.secrets.title")}>
              <p>{t("begin.secrets.body")}</p>
            </Card>
          </div>
          {check.failure === null ? null : <Trouble failure={check.failure} />}
          <div className="actions">
            <Press type="submit" isDisabled={check.busy || device.trim() === ""}>
              {t("confirm.go")}
            </Press>
            <Press kind="quiet" onPress={onBack}>
              {t("begin.other")}
            </Press>
          </div>
        </form>
      </div>
      <Shoreline filled={0} />
    </main>
  );
}
