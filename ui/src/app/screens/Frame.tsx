import type { ReactNode } from "react";
import { Button } from "react-aria-components";
import { t } from "../../messages/react";
import { Mark, Pill } from "../parts/basics";

/** The places of the app. */
export const PLACES = ["home", "devices", "secrets"] as const;
export type Place = (typeof PLACES)[number];

/** The bar on top, with who and where this is. */
export function Bar({ user, device }: Readonly<{ user?: string; device?: string }>): ReactNode {
  return (
    <header className="bar">
      <Mark />
      {t("app.name")}
      <span className="spring" />
      {user === undefined || device === undefined ? null : <Pill>{t("app.who", { user, device })}</Pill>}
    </header>
  );
}

type Props = Readonly<{ place: Place; onPlace: (place: Place) => void; children: ReactNode }>;

/** The places beside the screen. */
export function Frame({ place, onPlace, children }: Props): ReactNode {
  return (
    <div className="frame">
      <nav className="side" aria-label={t("app.places")}>
        {PLACES.map((it) => (
          <Button key={it} className="place" aria-current={it === place && "page"} onPress={() => onPlace(it)}>
            {t(`nav.${it}`)}
          </Button>
        ))}
      </nav>
      <main className="content">{children}</main>
    </div>
  );
}
