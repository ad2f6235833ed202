import type { ReactNode } from "react";
import { Input, Label, Text, TextField } from "react-aria-components";
import type { MessageId } from "../../messages/all";
import type { Values } from "../../messages/format";
import { t } from "../../messages/react";

type Props = Readonly<{ label: MessageId; values?: Values; help?: MessageId; value: string; onChange: (value: string) => void; first?: boolean; plain?: boolean }>;

/** A name, or a code, as it is typed. The app behind checks it; here is only what it may look like. */
export function NameField({ label, values, help, value, onChange, first = false, plain = false }: Props): ReactNode {
  return (
    <TextField value={value} onChange={onChange} autoComplete="off" autoFocus={first} className="stack tight">
      <Label>{t(label, values)}</Label>
      <Input className={plain ? "field" : "field mono"} spellCheck={plain ? "true" : "false"} autoCapitalize="none" />
      {help === undefined ? null : (
        <Text slot="description" className="soft small">
          {t(help)}
        </Text>
      )}
    </TextField>
  );
}
