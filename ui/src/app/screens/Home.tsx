import type { Me } from "@wire/Me";
import { type ReactNode, useState } from "react";
import { clockTime } from "../../messages/format";
import { T, t } from "../../messages/react";
import { useAct, useLoaded, useNow } from "../hooks";
import { Card, Fact, Pill, Press, Say, Title } from "../parts/basics";
import { PasskeyDialog } from "../parts/PasskeyDialog";
import { Trouble } from "../parts/Trouble";
import { Waiting } from "../parts/Waiting";
import type { Attachment } from "../api";
import type { Place } from "./Frame";

type Props = Readonly<{ server: string; user: string; onPlace: (place: Place) => void; onAdd: () => void; onFresh: () => void }>;

/** Who I am, on which device, and what I may want to do. */
export function Home({ server, user, onPlace, onAdd, onFresh }: Props): ReactNode {
  const me = useLoaded((api) => api.me());
  return (
    <>
      <Title id="home.title" values={{ user }} />
      <Waiting of={me}>
        {(value) => (
          <>
            {value.frozen ? (
              <Frozen onEnded={me.reload} />
            ) : null}
            <WhoAmI me={value} server={server} />
            <Passkeys me={value} onMade={me.reload} />
            <div className="pair">
              <Card title={t("home.lost.title")}>
                <p className="soft">{t("home.lost.body")}</p>
                <Press onPress={() => onPlace("devices")}>{t("home.lost.go")}</Press>
              </Card>
              <Card title={t("home.add.title")}>
                <p className="soft">{t("home.add.body")}</p>
                <Press kind="quiet" onPress={onAdd}>
                  {t("home.add.go")}
                </Press>
              </Card>
            </div>
          </>
        )}
      </Waiting>
      {me.failure?.remedy === "enroll-again" ? <Press onPress={onFresh}>{t("home.fresh")}</Press> : null}
    </>
  );
}

function Frozen({ onEnded }: Readonly<{ onEnded: () => void }>): ReactNode {
  const unfreeze = useAct((api, onView) => api.unfreeze(onView));
  return (
    <Card tone="danger" title={t("home.frozen.title")}>
      <p>{t("home.frozen.body")}</p>
      {unfreeze.failure === null ? null : <Trouble failure={unfreeze.failure} />}
      <div className="actions">
        <Press onPress={() => void unfreeze.run().then((done) => done !== null && onEnded())} isDisabled={unfreeze.busy}>
          {t("home.frozen.go")}
        </Press>
      </div>
      <PasskeyDialog view={unfreeze.view} />
    </Card>
  );
}

function WhoAmI({ me, server }: Readonly<{ me: Me; server: string }>): ReactNode {
  const now = useNow(false);
  const { label, name, certificate_not_after: until } = me.device;
  return (
    <dl className="facts card">
      <Fact term="home.who">
        <T id={`home.role.${me.role}`} values={{ user: me.user, tenant: me.tenant }} />
      </Fact>
      <Fact term="home.device">
        {name}
        {label === null ? null : <span className="soft"> ({label})</span>}
      </Fact>
      <Fact term="home.server">
        <span className="mono">{server}</span>
      </Fact>
      <Fact term="home.certificate">
        {until === null
          ? t("home.certificate.none")
          : t("home.certificate.until", { time: clockTime(until, now) })}
      </Fact>
    </dl>
  );
}

function Passkeys({ me, onMade }: Readonly<{ me: Me; onMade: () => void }>): ReactNode {
  const now = useNow(false);
  const [made, setMade] = useState(false);
  const add = useAct((api, onView, attachment: Attachment) =>
    api.addPasskey(attachment, t(`home.passkeys.label.${attachment}`, { device: me.device.name }), onView),
  );
  const make = (attachment: Attachment) =>
    void add.run(attachment).then((passkey) => {
      if (passkey === null) return;
      setMade(true);
      onMade();
    });
  // What was made just now is there, before the server has been asked again.
  const passkeys = made ? Math.max(me.passkeys, 1) : me.passkeys;
  const count = passkeys === 1 ? "home.passkeys.count.one" : "home.passkeys.count.other";
  return (
    <Card title={t("home.passkeys.title")} {...(passkeys === 0 ? { tone: "attention" as const } : {})}>
      {passkeys > 0 ? (
        <p>
          <Pill tone="ok">{t("home.passkeys.some")}</Pill> {t(count, { count: passkeys })}
        </p>
      ) : (
        <p>
          <Pill tone="warn">{t("home.passkeys.none")}</Pill> {t("home.passkeys.none.body")}
        </p>
      )}
      {me.grant !== null && !made ? (
        <>
          <p>{t("home.passkeys.grant", { time: clockTime(me.grant.expires_at, now) })}</p>
          <div className="actions">
            <Press onPress={() => make("platform")} isDisabled={add.busy}>
              {t("home.passkeys.platform")}
            </Press>
            <Press kind="quiet" onPress={() => make("roaming")} isDisabled={add.busy}>
              {t("home.passkeys.roaming")}
            </Press>
          </div>
        </>
      ) : passkeys === 0 ? (
        <p>{t("home.passkeys.grant.over")}</p>
      ) : null}
      <Say>{made ? t("home.passkeys.made") : null}</Say>
      {add.failure === null ? null : <Trouble failure={add.failure} />}
      <PasskeyDialog view={add.view} />
    </Card>
  );
}
