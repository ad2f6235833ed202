import type { RecoveryInfo } from "@wire/RecoveryInfo";
import type { RecoveryProofInfo } from "@wire/RecoveryProofInfo";
import type { ReactNode } from "react";
import { clockTime } from "../../messages/format";
import { t } from "../../messages/react";
import { Pill } from "./basics";

const UNDER_WAY: ReadonlySet<RecoveryInfo["state"]> = new Set(["unproved", "held", "unheard", "contested", "ready"]);

/** Whether it can still be stopped. */
export function isUnderWay({ state }: RecoveryInfo): boolean {
  return UNDER_WAY.has(state);
}

/** Where somebody's recovery stands, in words. */
export function stands(info: RecoveryInfo, now: Date): string {
  if (info.account_frozen) return t("state.frozen");
  if (info.state !== "held") return t(`state.${info.state}`);
  return t("state.held", { time: info.held_until === null ? "" : clockTime(info.held_until, now) });
}

/** What somebody has shown so far, and what of it counts no more. */
export function Shown({ proofs }: Readonly<{ proofs: readonly RecoveryProofInfo[] }>): ReactNode {
  if (proofs.length === 0) return <Pill>{t("recovering.shown.none")}</Pill>;
  return (
    <span className="shown">
      {proofs.map((proof, place) => (
        <Pill key={place} tone={proof.counts ? "ok" : "warn"}>
          {proof.counts ? what(proof) : t("proof.void", { what: what(proof) })}
        </Pill>
      ))}
    </span>
  );
}

function what({ door, by }: RecoveryProofInfo): string {
  return door === "admin" || door === "guardian" ? t(`proof.${door}.named`, { who: by }) : t(`proof.${door}`);
}
