import type { ReactNode } from "react";
import { t } from "../../messages/react";
import { Card, Press } from "./basics";

/** Somebody asks to be let in as the person who looks at this. */
export function Alarm({ onLook }: Readonly<{ onLook: () => void }>): ReactNode {
  return (
    <Card tone="danger" title={t("alarm.title")}>
      <p>{t("alarm.body")}</p>
      <Press kind="danger" onPress={onLook}>
        {t("alarm.go")}
      </Press>
    </Card>
  );
}
