import type { FlowView } from "@wire/FlowView";
import type { KeyPin } from "@wire/KeyPin";
import { type FormEvent, type ReactNode, useState } from "react";
import { Dialog, Heading, Input, Label, Modal, ModalOverlay, TextField } from "react-aria-components";
import { actWords } from "../../messages/acts";
import { Sentence, t } from "../../messages/react";
import { useAct, useApi } from "../hooks";
import { Countdown, Press, Say } from "./basics";
import { Steps } from "./Steps";

/** When there is nothing left to do in the browser; what went wrong is said on the screen below. */
const OVER: ReadonlySet<FlowView["next"]["do"]> = new Set(["finished", "start-over", "try-again"]);

/** While a flow asks for a passkey: what is confirmed, the number on both screens, and the way out. */
export function PasskeyDialog({ view }: Readonly<{ view: FlowView | null }>): ReactNode {
  const api = useApi();
  const shown = view !== null && (view.flow === "step-up" || view.flow === "register-passkey") && !OVER.has(view.next.do);
  return (
    <ModalOverlay isOpen={shown} onOpenChange={(open) => open || void api.flowCancel()} className="veil">
      <Modal className="modal">
        <Dialog className="dialog">{view === null ? null : <Content view={view} />}</Dialog>
      </Modal>
    </ModalOverlay>
  );
}

function Content({ view }: Readonly<{ view: FlowView }>): ReactNode {
  const api = useApi();
  const { act, user } = view.about;
  return (
    <>
      <Heading slot="title" level={2}>
        {t(view.next.do === "use-security-key" ? "passkey.key.title" : "passkey.title")}
      </Heading>
      {act === null ? null : (
        <p className="act mono">
          <Sentence parts={actWords(act, user)} />
        </p>
      )}
      <Survived failure={view.failure} />
      <Next view={view} />
      <Steps view={view} />
      <div className="actions">
        {view.other_way === "type-code" ? (
          <Press kind="quiet" onPress={() => void api.flowOtherWay()}>
            {t("other.type-code.go")}
          </Press>
        ) : null}
        {view.other_way === "use-browser" ? (
          <Press kind="quiet" onPress={() => void api.flowOtherWay()}>
            {t("other.use-browser.go")}
          </Press>
        ) : null}
        <Press kind="quiet" onPress={() => void api.flowCancel()}>
          {t("cancel")}
        </Press>
        {view.expires_at === null ? null : <Countdown until={view.expires_at} />}
      </div>
      {view.other_way === "type-code" ? <p className="soft">{t("other.type-code.body")}</p> : null}
    </>
  );
}

/** What went wrong on the way and did not end it: a mistyped code, no browser on this machine. */
function Survived({ failure }: Readonly<{ failure: FlowView["failure"] }>): ReactNode {
  return (
    <div role="alert">
      {failure === null ? null : (
        <p className="survived">
          <strong>{failure.title}.</strong> {failure.detail}
        </p>
      )}
    </div>
  );
}

function Next({ view }: Readonly<{ view: FlowView }>): ReactNode {
  const { next } = view;
  if (next.do === "use-security-key") return next.pin === null ? <p>{t("passkey.key.touch")}</p> : <KeyPinField asked={next.pin} />;
  if (next.do !== "use-passkey") return <p className="soft">{t("passkey.preparing")}</p>;
  return (
    <>
      <div className="asked">
        <p className="number" aria-label={`${t("passkey.number")}: ${next.match_number}`}>
          {next.match_number}
        </p>
        <p>{t(next.typed ? "passkey.typed.lead" : "passkey.lead")}</p>
      </div>
      {next.typed ? <TypedCode url={next.page_url} /> : null}
    </>
  );
}

function TypedCode({ url }: Readonly<{ url: string }>): ReactNode {
  const api = useApi();
  const [code, setCode] = useState("");
  const copy = useAct((api) => api.copyText(url));
  const [copied, setCopied] = useState(false);
  const send = (event: FormEvent) => {
    event.preventDefault();
    void api.flowTyped(code);
  };
  return (
    <form className="stack" onSubmit={send}>
      <p>
        <span className="soft">{t("passkey.address")}</span>
        <br />
        <span className="mono address">{url}</span>
      </p>
      <div className="actions">
        <Press kind="quiet" onPress={() => void copy.run().then((done) => setCopied(done !== null))}>
          {t("passkey.address.copy")}
        </Press>
        <Say>{copied ? t("passkey.address.copied") : null}</Say>
      </div>
      <div className="code-entry">
        <TextField value={code} onChange={setCode} autoComplete="off">
          <Label>{t("passkey.code")}</Label>
          <Input className="field mono" spellCheck="false" autoCapitalize="characters" />
        </TextField>
        <Press type="submit" isDisabled={code.trim() === ""}>
          {t("passkey.code.go")}
        </Press>
      </div>
    </form>
  );
}

/** The PIN of the key that is plugged in. It goes to the key, and to nobody else. */
function KeyPinField({ asked }: Readonly<{ asked: KeyPin }>): ReactNode {
  const api = useApi();
  const [pin, setPin] = useState("");
  const send = (event: FormEvent) => {
    event.preventDefault();
    void api.flowPin(pin);
    setPin("");
  };
  return (
    <form className="stack" onSubmit={send}>
      <p>{t("passkey.key.pin.lead")}</p>
      <div role="alert">{asked.wrong ? <p className="survived">{wrongPin(asked.tries_left)}</p> : null}</div>
      <div className="code-entry">
        <TextField type="password" value={pin} onChange={setPin} autoComplete="off" autoFocus>
          <Label>{t("passkey.key.pin")}</Label>
          <Input className="field mono" />
        </TextField>
        <Press type="submit" isDisabled={pin === ""}>
          {t("passkey.key.pin.go")}
        </Press>
      </div>
    </form>
  );
}

function wrongPin(left: number | null): string {
  if (left === null) return t("passkey.key.pin.wrong");
  return left === 1 ? t("passkey.key.pin.last") : t("passkey.key.pin.left", { left: String(left) });
}
