import type { RecoveryHere } from "@wire/RecoveryHere";
import type { RecoveryTyped } from "@wire/RecoveryTyped";
import { type ReactNode, useState } from "react";
import { Doors, type Door } from "./Doors";
import type { Place } from "./Frame";
import { Recovering } from "./Recovering";
import { WithCode } from "./WithCode";
import { WithSheet } from "./WithSheet";

type At = { at: "doors" } | { at: Door } | { at: "recovering"; from: RecoveryHere | RecoveryTyped };
type Props = Readonly<{ begun: RecoveryHere | null; onIn: (place: Place) => void }>;

/** A machine that is new: which way in, and along it. What was begun before goes on at once. */
export function GetBackIn({ begun, onIn }: Props): ReactNode {
  const [view, setView] = useState<At>(begun === null ? { at: "doors" } : { at: "recovering", from: begun });
  const doors = () => setView({ at: "doors" });
  switch (view.at) {
    case "doors":
      return <Doors onDoor={(door) => setView({ at: door })} />;
    case "code":
      return <WithCode onIn={onIn} onBack={doors} />;
    case "sheet":
    case "help":
      return <WithSheet by={view.at} onBegin={(from) => setView({ at: "recovering", from })} onBack={doors} />;
    case "recovering":
      return <Recovering from={view.from} onIn={onIn} onOver={doors} />;
  }
}
