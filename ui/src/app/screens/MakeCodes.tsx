import type { CodesSheet } from "@wire/CodesSheet";
import type { SheetFormat } from "@wire/SheetFormat";
import { type ReactNode, useState } from "react";
import { T, t } from "../../messages/react";
import { useAct } from "../hooks";
import { Card, Lead, Press, Say, Title } from "../parts/basics";
import { PasskeyDialog } from "../parts/PasskeyDialog";
import { Qr } from "../parts/Qr";
import { Trouble } from "../parts/Trouble";

/** Ten new codes: what they do and what happens to older ones is said first; then they go onto paper. */
export function MakeCodes({ has, onBack }: Readonly<{ has: boolean; onBack: () => void }>): ReactNode {
  const [sheet, setSheet] = useState<CodesSheet | null>(null);
  const make = useAct((api, onView) => api.makeCodes(onView));
  if (sheet !== null) return <OntoPaper sheet={sheet} onDone={onBack} />;
  return (
    <div className="stack">
      <Title id="make.title" />
      <Lead id="make.lead" />
      <div className="pair">
        <Card title={t("make.what.title")}>
          <ul className="points">
            <li>{t("make.what.1")}</li>
            <li>{t("make.what.2")}</li>
            <li>{t("make.what.3")}</li>
          </ul>
        </Card>
        <Card title={t("make.old.title")} {...(has ? { tone: "attention" as const } : {})}>
          <p>{t(has ? "make.old.body" : "make.none.body")}</p>
        </Card>
      </div>
      {make.failure === null ? null : <Trouble failure={make.failure} />}
      <div className="actions">
        <Press onPress={() => void make.run().then(setSheet)} isDisabled={make.busy}>
          {t("make.go")}
        </Press>
        <Press kind="quiet" onPress={onBack} isDisabled={make.busy}>
          {t("back")}
        </Press>
        <span className="soft small">{t("lost.passkey")}</span>
      </div>
      <PasskeyDialog view={make.view} />
    </div>
  );
}

function OntoPaper({ sheet, onDone }: Readonly<{ sheet: CodesSheet; onDone: () => void }>): ReactNode {
  const [path, setPath] = useState<string | null>(null);
  const print = useAct((api) => api.print());
  const save = useAct((api, _onView, format: SheetFormat) => api.saveSheet(sheet, format));
  const keep = (format: SheetFormat) => void save.run(format).then((saved) => saved !== null && setPath(saved.path));
  const failure = print.failure ?? save.failure;
  return (
    <div className="stack">
      <Title id="make.done.title" />
      <Lead id="make.done.lead" />
      <div className="actions">
        <Press onPress={() => void print.run()} isDisabled={print.busy}>
          {t("make.print")}
        </Press>
        <Press kind="quiet" onPress={() => keep("pdf")} isDisabled={save.busy}>
          {t("make.pdf")}
        </Press>
        <Press kind="quiet" onPress={() => keep("html")} isDisabled={save.busy}>
          {t("make.html")}
        </Press>
      </div>
      <Say>{path === null ? null : <T id="make.saved" values={{ path }} />}</Say>
      {failure === null ? null : <Trouble failure={failure} />}
      <Sheet sheet={sheet} />
      <div className="actions">
        <Press kind="quiet" onPress={onDone}>
          {t("make.finish")}
        </Press>
      </div>
    </div>
  );
}

/** What is printed: the sheet's own words, the same as in its files. */
function Sheet({ sheet }: Readonly<{ sheet: CodesSheet }>): ReactNode {
  const end = sheet.server.indexOf("#") + 1;
  return (
    <article className="sheet" aria-label={sheet.title}>
      <h2>{sheet.title}</h2>
      <p>
        {t("make.made", { day: sheet.made_at.slice(0, 10) })} {sheet.keep}
      </p>
      <div className="codes-and-picture">
        <div className="stack tight">
          <h3>{t("make.codes")}</h3>
          <ol className="codes mono">
            {sheet.codes.map((code) => (
              <li key={code}>
                <span className="tick" aria-hidden="true" />
                {code}
              </li>
            ))}
          </ol>
        </div>
        <Qr picture={sheet.qr} label="make.qr" />
      </div>
      <div className="stack tight">
        <h3>{t("confirm.server")}</h3>
        <p className="mono server-line">
          {sheet.server.slice(0, end)}
          <wbr />
          {sheet.server.slice(end)}
        </p>
        <h3>{t("sheet.user")}</h3>
        <p className="mono">{sheet.user}</p>
      </div>
      <h3>{sheet.when}</h3>
      <ol className="points">
        {sheet.steps.map((step) => (
          <li key={step}>
            <Typed text={step} />
          </li>
        ))}
      </ol>
      <p>{sheet.lost}</p>
    </article>
  );
}

/** The sheet's words; what is typed stands between backticks. */
function Typed({ text }: Readonly<{ text: string }>): ReactNode {
  return text.split("`").map((piece, place) => (place % 2 === 1 ? <code key={place} className="mono">{piece}</code> : piece));
}
