import type { ReactNode } from "react";
import { Input, Label, Text, TextField } from "react-aria-components";
import type { MessageId } from "../../messages/all";
import { t } from "../../messages/react";

type Props = Readonly<{ label: MessageId; help: MessageId; value: string; onChange: (value: string) => void }>;

/** A permanent name. The app behind checks it; here is only what it may look like. */
export function NameField({ label, help, value, onChange }: Props): ReactNode {
  return (
    <TextField value={value} onChange={onChange} autoComplete="off" className="stack tight">
      <Label>{t(label)}</Label>
      <Input className="field mono" spellCheck="false" autoCapitalize="none" />
      <Text slot="description" className="soft small">
        {t(help)}
      </Text>
    </TextField>
  );
}
