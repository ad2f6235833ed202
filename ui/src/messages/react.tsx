import { Fragment, type ReactNode } from "react";
import { en, type MessageId } from "./all";
import { fill, type Part, parts, type Values } from "./format";

/** A message as plain text, for labels and titles. */
export function t(id: MessageId, values?: Values): string {
  return fill(en[id], values);
}

/** A message with its values set apart, each isolated from the text direction around it. */
export function T({ id, values }: Readonly<{ id: MessageId; values?: Values }>): ReactNode {
  return <Sentence parts={parts(en[id], values)} />;
}

/** Parts of a sentence, in their order. Words between backticks are commands. */
export function Sentence({ parts: pieces }: Readonly<{ parts: readonly Part[] }>): ReactNode {
  return pieces.map((part, place) =>
    "words" in part ? (
      <Fragment key={place}>{withCommands(part.words)}</Fragment>
    ) : (
      <strong key={place}>
        <bdi>{part.value}</bdi>
      </strong>
    ),
  );
}

function withCommands(words: string): ReactNode[] {
  return words
    .split("`")
    .map((piece, place) => (place % 2 === 1 ? <code key={place} className="mono">{piece}</code> : piece));
}
