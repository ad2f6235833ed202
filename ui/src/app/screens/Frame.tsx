import type { ReactNode } from "react";
import { Button } from "react-aria-components";
import { t } from "../../messages/react";
import { Mark, Pill } from "../parts/basics";

/** The places of the app. The last is for administrators. */
export const PLACES = ["home", "devices", "secrets", "ready", "approvals", "notices", "queue"] as const;
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

type Props = Readonly<{
  place: Place;
  onPlace: (place: Place) => void;
  /** How many things wait for the person at a place. */
  counts: Readonly<Partial<Record<Place, number>>>;
  admin: boolean;
  children: ReactNode;
}>;

/** The places beside the screen. */
export function Frame({ place, onPlace, counts, admin, children }: Props): ReactNode {
  return (
    <div className="frame">
      <nav className="side" aria-label={t("app.places")}>
        {PLACES.filter((it) => admin || it !== "queue").map((it) => (
          <Button key={it} className="place" aria-current={it === place && "page"} onPress={() => onPlace(it)}>
            {t(`nav.${it}`)}
            <Count of={counts[it] ?? 0} tone={it === "ready" ? "bad" : "warn"} />
          </Button>
        ))}
      </nav>
      <main className="content">{children}</main>
    </div>
  );
}

function Count({ of, tone }: Readonly<{ of: number; tone: "bad" | "warn" }>): ReactNode {
  if (of === 0) return null;
  return (
    <Pill tone={tone}>
      <span aria-hidden="true">{of}</span>
      <span className="hidden-but-read">{t("nav.count", { count: of })}</span>
    </Pill>
  );
}
