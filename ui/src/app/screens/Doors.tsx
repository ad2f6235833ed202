import type { ReactNode } from "react";
import { Button } from "react-aria-components";
import { t } from "../../messages/react";
import { Card, Lead, Shoreline, Title } from "../parts/basics";

/** The ways in, in the order in which they are offered: the quickest first, help from others last. */
export const DOORS = ["code", "sheet", "help"] as const;
export type Door = (typeof DOORS)[number];

/** One drawing each, in strokes. */
const DRAWINGS: Readonly<Record<Door, string>> = {
  code: "M3 5h13v9H3zM1 18h17M19 8h4v10h-4z",
  sheet: "M5 2h11l3 3v17H5zM8 9h3M8 13h3M8 17h3M13 9h3M13 13h3M13 17h3",
  help: "M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8M2 21c0-5 3-7 7-7s7 2 7 7M17 4a3 3 0 0 1 0 6M18 14c3 0 5 2 5 6",
};

/** The first screen of a new machine: what does the person have? */
export function Doors({ onDoor }: Readonly<{ onDoor: (door: Door) => void }>): ReactNode {
  return (
    <main className="shored">
      <div className="two">
        <div className="stack">
          <Title id="doors.title" />
          <Lead id="doors.lead" />
          <ul className="doors">
            {DOORS.map((door) => (
              <li key={door}>
                <Button className="door card" onPress={() => onDoor(door)}>
                  <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.6" aria-hidden="true">
                    <path d={DRAWINGS[door]} strokeLinejoin="round" strokeLinecap="round" />
                  </svg>
                  <span>
                    <strong>{t(`doors.${door}.title`)}</strong>
                    <span className="soft">{t(`doors.${door}.body`)}</span>
                  </span>
                </Button>
              </li>
            ))}
          </ul>
        </div>
        <aside className="stack">
          <Card tone="attention" title={t("doors.lost.title")}>
            <p>{t("doors.lost.body")}</p>
          </Card>
          <Card title={t("doors.secrets.title")}>
            <p className="soft">{t("doors.secrets.body")}</p>
          </Card>
        </aside>
      </div>
      <Shoreline filled={0} />
    </main>
  );
}
