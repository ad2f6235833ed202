import type { FlowFailure } from "@wire/FlowFailure";
import type { RecoveryChange } from "@wire/RecoveryChange";
import type { RecoveryHere } from "@wire/RecoveryHere";
import { type FormEvent, type ReactNode, useState } from "react";
import type { MessageId } from "../../messages/all";
import { t } from "../../messages/react";
import { Press, Shoreline, Title } from "../parts/basics";
import { NameField } from "../parts/NameField";
import { share } from "../parts/Steps";
import { Trouble } from "../parts/Trouble";

type Props = Readonly<{
  here: RecoveryHere;
  failure: FlowFailure | null;
  onChange: (change: RecoveryChange | null) => void;
  onLeave: () => void;
  onOver: () => void;
}>;

/** One thing to type anew. What was not taken is said above it; nothing else is lost. */
type Asked = Readonly<{
  title: MessageId;
  label: MessageId;
  help: MessageId;
  go: MessageId;
  change: (typed: string) => RecoveryChange;
  without: readonly [MessageId, RecoveryChange | null] | null;
}>;

const ASKED: Readonly<Partial<Record<RecoveryHere["stage"], Asked>>> = {
  "other-code": {
    title: "recovering.code.title",
    label: "sheet.code",
    help: "sheet.code.help",
    go: "recovering.code.go",
    change: (code) => ({ change: "code", code }),
    without: ["recovering.code.without", null],
  },
  "other-device": {
    title: "recovering.device.title",
    label: "confirm.name.device",
    help: "confirm.name.device.help",
    go: "enter.go",
    change: (device) => ({ change: "device", device }),
    without: null,
  },
  "other-lost": {
    title: "recovering.lost.title",
    label: "begin.lost",
    help: "begin.lost.help",
    go: "recovering.lost.go",
    change: (lost) => ({ change: "lost", lost }),
    without: ["recovering.lost.without", { change: "lost", lost: null }],
  },
};

/** It stopped, and how it goes on. */
export function Otherwise({ here, failure, onChange, onLeave, onOver }: Props): ReactNode {
  const asked = ASKED[here.stage];
  const shown = failure ?? here.flow.failure;
  const over = here.stage === "over";
  const title = over ? "recovering.over.title" : "recovering.paused.title";
  return (
    <main className="shored">
      <div className="one stack">
        <Title id={asked?.title ?? title} />
        {shown === null ? null : <Trouble failure={shown} {...(asked || over ? {} : { onAgain: () => onChange(null) })} />}
        {asked === undefined ? null : <Anew asked={asked} onChange={onChange} />}
        <div className="actions">
          {over ? (
            <Press onPress={onOver}>{t("recovering.over.go")}</Press>
          ) : (
            <Press kind="quiet" onPress={onLeave}>
              {t("recovering.leave")}
            </Press>
          )}
        </div>
      </div>
      <Shoreline filled={share(here.flow)} />
    </main>
  );
}

function Anew({ asked, onChange }: Readonly<{ asked: Asked; onChange: Props["onChange"] }>): ReactNode {
  const [typed, setTyped] = useState("");
  const { without } = asked;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onChange(asked.change(typed.trim()));
  };
  return (
    <form className="stack" onSubmit={submit}>
      <NameField label={asked.label} help={asked.help} value={typed} onChange={setTyped} />
      <div className="actions">
        <Press type="submit" isDisabled={typed.trim() === ""}>
          {t(asked.go)}
        </Press>
        {without === null ? null : (
          <Press kind="quiet" onPress={() => onChange(without[1])}>
            {t(without[0])}
          </Press>
        )}
      </div>
    </form>
  );
}
