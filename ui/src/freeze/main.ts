/**
 * The page to which mailed notices lead: one button that stops everything of an account. Opening it
 * changes nothing; only the button's POST does.
 */
import type { Problem } from "@wire/Problem";
import { freeze } from "../messages/en";
import { askView, doneView, type Wrong, wrongView } from "./views";
import { freezeAccount, NoAnswer, readSecret, Refused } from "./wire";

const page = document.getElementById("page") as HTMLElement;
const say = document.getElementById("say") as HTMLElement;

// A link that is opened in a tab where the page already stands loads nothing anew.
addEventListener("hashchange", begin);
begin();

function begin(): void {
  const secret = readSecret(location.hash);
  // Before anything else: no history entry, bookmark or shoulder shall keep the secret.
  history.replaceState(null, "", location.pathname);
  if (secret === null) return show(wrongView(local("no-fragment", false), () => {}));
  ask(secret);
}

function ask(secret: string): void {
  show(askView(() => void act(secret)));
}

async function act(secret: string): Promise<void> {
  busy(freeze["freeze.working"]);
  try {
    await freezeAccount(secret);
    show(doneView());
  } catch (error) {
    show(wrongView(explain(error), () => ask(secret)));
  }
}

function explain(error: unknown): Wrong {
  if (error instanceof Refused) return refused(error.problem);
  return local(error instanceof NoAnswer ? "offline" : "browser", true);
}

function refused({ title, detail, code, request_id }: Problem): Wrong {
  return { what: title, why: detail, next: "", code: request_id ? `${code} · ${request_id}` : code, again: false };
}

function local(code: "no-fragment" | "offline" | "browser", again: boolean): Wrong {
  return {
    what: freeze[`freeze.wrong.${code}.what`],
    why: freeze[`freeze.wrong.${code}.why`],
    next: freeze[`freeze.wrong.${code}.next`],
    code,
    again,
  };
}

/** Puts a view on the page, and the reader's and keyboard's place at its heading. */
function show(view: HTMLElement[]): void {
  page.replaceChildren(...view);
  const heading = page.querySelector("h1");
  if (heading === null) return;
  document.title = `${heading.textContent} · Landfall`;
  heading.focus();
}

function busy(words: string): void {
  const button = page.querySelector<HTMLButtonElement>("#freeze");
  if (button !== null) button.disabled = true;
  say.textContent = words;
}
