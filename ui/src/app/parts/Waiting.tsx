import type { ReactNode } from "react";
import { t } from "../../messages/react";
import type { Loaded } from "../hooks";
import { Trouble } from "./Trouble";

/** A screen's content once it is read; before that a word, or what went wrong. */
export function Waiting<T>({ of, children }: Readonly<{ of: Loaded<T>; children: (value: T) => ReactNode }>): ReactNode {
  if (of.failure !== null) return <Trouble failure={of.failure} onAgain={of.reload} />;
  if (of.value === null) return <p className="soft">{t("working")}</p>;
  return children(of.value);
}
