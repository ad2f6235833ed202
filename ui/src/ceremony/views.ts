import type { CeremonyOptions } from "@wire/CeremonyOptions";
import type { Problem } from "@wire/Problem";
import { actWords } from "../messages/acts";
import { ceremony } from "../messages/en";
import { clockTime, fill, parts } from "../messages/format";
import { el, sentence } from "./dom";

/** What went wrong, as a person reads it. */
export type Wrong = Readonly<{ what: string; why: string; next: string; code: string; again: boolean }>;

type LocalWrong = "no-fragment" | "unsupported" | "offline" | "not-used" | "known" | "browser" | "return";

/** Something that went wrong in the browser. */
export function wrong(code: LocalWrong, again: boolean, values: Readonly<Record<string, string>> = {}): Wrong {
  return {
    what: ceremony[`ceremony.wrong.${code}.what`],
    why: fill(ceremony[`ceremony.wrong.${code}.why`], values),
    next: ceremony[`ceremony.wrong.${code}.next`],
    code,
    again,
  };
}

/** Something that the server refused. */
export function refused(problem: Problem): Wrong {
  const { title, detail, code, request_id } = problem;
  const shown = request_id ? `${code} · ${request_id}` : code;
  return { what: title, why: detail, next: "", code: shown, again: false };
}

/** Who asks for what, and one button. */
export function askView(options: CeremonyOptions, now: Date, onUse: () => void): HTMLElement[] {
  const { purpose } = options;
  const kind = purpose === "step-up" && options.act !== null ? "act" : purpose;
  const button = el(
    "button",
    { type: "button", class: "button", id: "use" },
    ceremony[`ceremony.use.${purpose}`],
  );
  button.addEventListener("click", onUse);
  return [
    heading(fill(ceremony[`ceremony.${kind}.title`], { user: options.user })),
    el("p", { class: "lead" }, ceremony[`ceremony.${kind}.lead`]),
    ...(options.act === null
      ? []
      : [el("p", { class: "act mono", id: "act" }, ...sentence(actWords(options.act, options.user, options.passkey_label)))]),
    facts(options, now),
    elsewhere(options),
    el("div", { class: "actions" }, button, el("span", { class: "soft", id: "waiting" })),
  ];
}

/** The characters to type, large. */
export function codeView(code: string, options: CeremonyOptions): HTMLElement[] {
  const until = parts(ceremony["ceremony.code.until"], { device: options.device });
  return [
    heading(ceremony["ceremony.code.title"]),
    el("p", { class: "code", id: "code" }, code),
    el("p", { class: "lead" }, ceremony["ceremony.code.lead"]),
    el("p", { class: "soft" }, ...sentence(until)),
  ];
}

/** The app has it now. */
export function returningView(): HTMLElement[] {
  return [
    heading(ceremony["ceremony.returning.title"]),
    el("p", { class: "lead" }, ceremony["ceremony.returning.lead"]),
  ];
}

/** Reading what to confirm. */
export function loadingView(): HTMLElement[] {
  return [el("p", { class: "lead" }, ceremony["ceremony.loading"])];
}

/** What happened, why, what to do next, and the code small. */
export function wrongView(it: Wrong, onAgain: () => void): HTMLElement[] {
  const again = el("button", { type: "button", class: "button", id: "again" }, ceremony["ceremony.again"]);
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

function facts(options: CeremonyOptions, now: Date): HTMLElement {
  const { user, tenant, device, device_label, match_number, expires_at } = options;
  const asker =
    device_label === null
      ? parts(ceremony["ceremony.device"], { device })
      : parts(ceremony["ceremony.device.labelled"], { device, label: device_label });
  const row = (term: string, id: string, ...value: (Node | string)[]) => [
    el("dt", {}, term),
    el("dd", { id }, ...value),
  ];
  return el(
    "dl",
    { class: "facts card" },
    ...row(ceremony["ceremony.fact.who"], "who", ...sentence(parts(ceremony["ceremony.who"], { user, tenant }))),
    ...row(ceremony["ceremony.fact.device"], "device", ...sentence(asker)),
    ...row(
      ceremony["ceremony.fact.number"],
      "number",
      el("span", { class: "number" }, match_number),
      el("span", { class: "soft small" }, ` ${ceremony["ceremony.number"]}`),
    ),
    ...row(ceremony["ceremony.fact.until"], "until", clockTime(expires_at, now)),
  );
}

function elsewhere(options: CeremonyOptions): HTMLElement {
  const words = parts(ceremony["ceremony.elsewhere"], { device: options.device });
  return el("p", { class: "card attention", id: "elsewhere" }, ...sentence(words));
}
