import type { NoticeInfo } from "@wire/NoticeInfo";
import type { Page } from "@wire/Page";
import { type ReactNode, useState } from "react";
import { clockTime } from "../../messages/format";
import { t } from "../../messages/react";
import { useAct, useLoaded, useNow } from "../hooks";
import { Lead, Press, Title } from "../parts/basics";
import { Trouble } from "../parts/Trouble";
import { Waiting } from "../parts/Waiting";
import { NotMine } from "./NotMine";

/** What happened to the account, and the way to stop everything when it was somebody else. */
export function Notices(): ReactNode {
  const first = useLoaded((api) => api.notices(null));
  const [older, setOlder] = useState<readonly Page<NoticeInfo>[]>([]);
  const [doubted, setDoubted] = useState<NoticeInfo | null>(null);
  const more = useAct((api, _onView, after: string) => api.notices(after));
  if (doubted !== null) return <NotMine about={doubted.text} onKeep={() => setDoubted(null)} />;
  return (
    <>
      <Title id="notices.title" />
      <Lead id="notices.lead" />
      <Waiting of={first}>
        {(newest) => {
          const pages = [newest, ...older];
          const items = pages.flatMap((page) => page.items);
          const next = pages[pages.length - 1]?.next ?? null;
          const show = (after: string) => void more.run(after).then((page) => page !== null && setOlder([...older, page]));
          if (items.length === 0) return <p className="card">{t("notices.none")}</p>;
          return (
            <>
              <ul className="rows card">
                {items.map((notice) => (
                  <Row key={notice.id} notice={notice} onDoubt={() => setDoubted(notice)} />
                ))}
              </ul>
              {more.failure === null ? null : <Trouble failure={more.failure} />}
              {next === null ? null : (
                <div className="actions">
                  <Press kind="quiet" onPress={() => show(next)} isDisabled={more.busy}>
                    {t("notices.older")}
                  </Press>
                </div>
              )}
            </>
          );
        }}
      </Waiting>
    </>
  );
}

function Row({ notice, onDoubt }: Readonly<{ notice: NoticeInfo; onDoubt: () => void }>): ReactNode {
  const now = useNow(false);
  const { title, text, source } = notice;
  const time = clockTime(notice.at, now);
  return (
    <li className="row">
      <div className="grow">
        <strong>{title}</strong>
        <p>{text}</p>
        <p className="soft small">
          {time}
          {source === null ? null : `, ${t("notices.from", { source })}`}
        </p>
      </div>
      <Press kind="quiet" onPress={onDoubt} aria-label={t("notices.not-me.named", { title, time })}>
        {t("notices.not-me")}
      </Press>
    </li>
  );
}
