import { el } from "../ceremony/dom";
import { freeze } from "../messages/en";

/** What went wrong, as a person reads it. */
export type Wrong = Readonly<{ what: string; why: string; next: string; code: string; again: boolean }>;

/** What the button does, and the button. */
export function askView(onFreeze: () => void): HTMLElement[] {
  const button = el("button", { type: "button", class: "button", id: "freeze" }, freeze["freeze.button"]);
  button.addEventListener("click", onFreeze);
  return [
    heading(freeze["freeze.title"]),
    el("p", { class: "lead" }, freeze["freeze.lead"]),
    el("p", { class: "card attention" }, freeze["freeze.back"]),
    el("div", { class: "actions" }, button),
    el("p", { class: "soft" }, freeze["freeze.was-you"]),
  ];
}

/** It is done, and what comes next. */
export function doneView(): HTMLElement[] {
  const steps = ["freeze.done.suspend", "freeze.done.unfreeze", "freeze.done.help"] as const;
  return [
    heading(freeze["freeze.done.title"]),
    el("p", { class: "lead" }, freeze["freeze.done.lead"]),
    el("ol", {}, ...steps.map((step) => el("li", {}, freeze[step]))),
  ];
}

/** What happened, why, what to do next, and the code small. */
export function wrongView(it: Wrong, onAgain: () => void): HTMLElement[] {
  const again = el("button", { type: "button", class: "button", id: "again" }, freeze["freeze.again"]);
  again.addEventListener("click", onAgain);
  return [
    heading(it.what),
    el("p", { class: "lead" }, it.why),
    ...(it.next === "" ? [] : [el("p", {}, it.next)]),
    ...(it.again ? [el("div", { class: "actions" }, again)] : []),
    el("p", { class: "soft small mono", id: "wrong-code" }, it.code),
  ];
}

function heading(text: string): HTMLElement {
  return el("h1", { tabindex: "-1" }, text);
}
