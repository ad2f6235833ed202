import type { Revealed } from "@wire/Revealed";
import type { SecretInfo } from "@wire/SecretInfo";
import { type ReactNode, useState } from "react";
import { clockTime, remaining } from "../../messages/format";
import { T, t } from "../../messages/react";
import { useAct, useLoaded, useNow } from "../hooks";
import { Lead, Press, Say, Title } from "../parts/basics";
import { Trouble } from "../parts/Trouble";
import { Waiting } from "../parts/Waiting";

type OnClipboard = Readonly<{ name: string; until: string }>;

/** My secrets: show one, or copy it for a minute. */
export function Secrets(): ReactNode {
  const secrets = useLoaded((api) => api.secrets());
  const [held, setHeld] = useState<OnClipboard | null>(null);
  return (
    <>
      <Title id="secrets.title" />
      <Lead id="secrets.lead" />
      <Clipboard held={held} />
      <Waiting of={secrets}>
        {(all) =>
          all.length === 0 ? (
            <p className="card">
              <T id="secrets.none" />
            </p>
          ) : (
            <ul className="rows card">
              {all.map((secret) => (
                <Row key={secret.name} secret={secret} onCopied={(until) => setHeld({ name: secret.name, until })} />
              ))}
            </ul>
          )
        }
      </Waiting>
    </>
  );
}

/** What is on the clipboard, and for how much longer. */
function Clipboard({ held }: Readonly<{ held: OnClipboard | null }>): ReactNode {
  const now = useNow(held !== null);
  const over = held !== null && Date.parse(held.until) <= now.getTime();
  return (
    <Say>
      {held === null ? null : over ? (
        t("secrets.emptied")
      ) : (
        <T id="secrets.copied" values={{ name: held.name, left: remaining(held.until, now) }} />
      )}
    </Say>
  );
}

function Row({ secret, onCopied }: Readonly<{ secret: SecretInfo; onCopied: (until: string) => void }>): ReactNode {
  const { name, updated_by: device, updated_at: at } = secret;
  const now = useNow(false);
  const [shown, setShown] = useState<Revealed | null>(null);
  const reveal = useAct((api) => api.reveal(name));
  const copy = useAct((api) => api.copySecret(name));
  const toggle = () => (shown === null ? void reveal.run().then(setShown) : setShown(null));
  const failure = reveal.failure ?? copy.failure;
  return (
    <li className="row wraps">
      <div className="grow">
        <strong className="mono">{name}</strong>
        <div className="soft small">{t("secrets.written", { device, time: clockTime(at, now) })}</div>
      </div>
      <Press
        kind="quiet"
        onPress={toggle}
        isDisabled={reveal.busy}
        aria-label={t(shown === null ? "secrets.show.named" : "secrets.hide.named", { name })}
        aria-expanded={shown !== null}
      >
        {t(shown === null ? "secrets.show" : "secrets.hide")}
      </Press>
      <Press
        onPress={() => void copy.run().then((copied) => copied && onCopied(copied.clears_at))}
        isDisabled={copy.busy}
        aria-label={t("secrets.copy.named", { name })}
      >
        {t("copy")}
      </Press>
      {shown === null ? null : (
        <div className="whole">
          {shown.text === null ? (
            <p>
              <T id="secrets.binary" values={{ name, size: shown.size }} />
            </p>
          ) : (
            <pre className="value mono">{shown.text}</pre>
          )}
        </div>
      )}
      {failure === null ? null : (
        <div className="whole">
          <Trouble failure={failure} />
        </div>
      )}
    </li>
  );
}
