import type { AddressInfo } from "@wire/AddressInfo";
import { type FormEvent, type ReactNode, useState } from "react";
import { clockTime } from "../../messages/format";
import { T, t } from "../../messages/react";
import { useAct, useLoaded, useNow } from "../hooks";
import { Card, Pill, Press, Say } from "../parts/basics";
import { NameField } from "../parts/NameField";
import { PasskeyDialog } from "../parts/PasskeyDialog";
import { Trouble } from "../parts/Trouble";
import { Waiting } from "../parts/Waiting";

/** How many the server keeps. */
const MOST = 2;

/** Where what happens to an account is mailed to. */
export function Addresses(): ReactNode {
  const addresses = useLoaded((api) => api.addresses());
  return (
    <Card title={t("mail.title")}>
      <p>{t("mail.lead")}</p>
      <Waiting of={addresses}>
        {(all) => (
          <>
            {all.length === 0 ? <p className="soft">{t("mail.none")}</p> : null}
            {all.length === 0 ? null : (
              <ul className="each">
                {all.map((address) => (
                  <Row key={address.id} address={address} onChanged={addresses.reload} />
                ))}
              </ul>
            )}
            {all.length < MOST ? <Add onAdded={addresses.reload} /> : null}
          </>
        )}
      </Waiting>
    </Card>
  );
}

type RowProps = Readonly<{ address: AddressInfo; onChanged: () => void }>;

function Row({ address, onChanged }: RowProps): ReactNode {
  const now = useNow(false);
  const [leaving, setLeaving] = useState(false);
  const remove = useAct((api, onView) => api.removeAddress(address.id, onView));
  const at = address.confirmed_at;
  const go = () => void remove.run().then((done) => done !== null && onChanged());
  return (
    <li className="wraps">
      <span className="grow">{address.address}</span>
      <Pill tone={at === null ? "warn" : "ok"}>{at === null ? t("mail.waits") : t("mail.since", { time: clockTime(at, now) })}</Pill>
      {leaving ? null : (
        <Press kind="quiet" onPress={() => setLeaving(true)} aria-label={t("mail.remove.named", { address: address.address })}>
          {t("mail.remove")}
        </Press>
      )}
      {leaving ? (
        <div className="whole stack">
          <p>
            <T id="mail.remove.ask" values={{ address: address.address }} />
          </p>
          <div className="actions">
            <Press kind="quiet" onPress={() => setLeaving(false)}>
              {t("mail.remove.no")}
            </Press>
            <Press kind="danger" onPress={go} isDisabled={remove.busy}>
              {t("mail.remove.yes")}
            </Press>
          </div>
        </div>
      ) : null}
      {at === null && !leaving ? <Confirm address={address} onChanged={onChanged} /> : null}
      {remove.failure === null ? null : (
        <div className="whole">
          <Trouble failure={remove.failure} />
        </div>
      )}
      <PasskeyDialog view={remove.view} />
    </li>
  );
}

function Confirm({ address, onChanged }: RowProps): ReactNode {
  const [code, setCode] = useState("");
  const confirm = useAct((api) => api.confirmAddress(address.id, code));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void confirm.run().then((done) => done !== null && onChanged());
  };
  return (
    <form className="whole stack" onSubmit={submit}>
      <div className="code-entry">
        <NameField label="mail.code" values={{ address: address.address }} value={code} onChange={setCode} />
        <Press type="submit" isDisabled={confirm.busy || code.trim() === ""}>
          {t("mail.code.go")}
        </Press>
      </div>
      {confirm.failure === null ? null : <Trouble failure={confirm.failure} />}
    </form>
  );
}

function Add({ onAdded }: Readonly<{ onAdded: () => void }>): ReactNode {
  const [typed, setTyped] = useState("");
  const [sent, setSent] = useState<string | null>(null);
  const add = useAct((api, onView) => api.addAddress(typed, onView));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void add.run().then((added) => {
      if (added === null) return;
      setTyped("");
      setSent(added.confirmed_at === null ? added.address : null);
      onAdded();
    });
  };
  return (
    <form className="stack" onSubmit={submit}>
      <div className="code-entry">
        <NameField label="mail.add" value={typed} onChange={setTyped} />
        <Press type="submit" kind="quiet" isDisabled={add.busy || typed.trim() === ""}>
          {t("mail.add.go")}
        </Press>
      </div>
      <Say>{sent === null ? null : <T id="mail.sent" values={{ address: sent }} />}</Say>
      {add.failure === null ? null : <Trouble failure={add.failure} />}
      <PasskeyDialog view={add.view} />
    </form>
  );
}
