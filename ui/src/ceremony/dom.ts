import type { Part } from "../messages/format";

type Child = Node | string;

/** Makes an element; text becomes text nodes and never markup. */
export function el(tag: string, attributes: Readonly<Record<string, string>>, ...children: Child[]): HTMLElement {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A sentence with its values set apart, each isolated from the text direction around it. */
export function sentence(parts: readonly Part[]): Child[] {
  return parts.map((part) => ("words" in part ? part.words : el("strong", {}, el("bdi", {}, part.value))));
}
