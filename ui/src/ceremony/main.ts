/**
 * The page on which a person touches a passkey. It shows what is confirmed, takes the touch, and sends
 * what the touch yields back to the app on the same machine. It has no authority of its own.
 */
import type { CeremonyFinished } from "@wire/CeremonyFinished";
import type { CeremonyOptions } from "@wire/CeremonyOptions";
import { ceremony } from "../messages/en";
import { canUsePasskeys, usePasskey } from "./passkey";
import { askView, codeView, loadingView, refused, returningView, type Wrong, wrong, wrongView } from "./views";
import { fetchOptions, finish, loopbackOnly, NoAnswer, readTicket, Refused, type Ticket } from "./wire";

const page = document.getElementById("page") as HTMLElement;
const say = document.getElementById("say") as HTMLElement;

// A link that is opened in a tab where the page already stands loads nothing anew.
addEventListener("hashchange", () => void begin());
void begin();

async function begin(): Promise<void> {
  const ticket = readTicket(location.hash);
  // Before anything else: no history entry, bookmark or shoulder shall keep the secret.
  history.replaceState(null, "", location.pathname);
  show(loadingView());
  if (ticket === null) return fail(wrong("no-fragment", false));
  if (!canUsePasskeys()) return fail(wrong("unsupported", false));
  await load(ticket);
}

async function load(ticket: Ticket): Promise<void> {
  try {
    ask(ticket, await fetchOptions(ticket));
  } catch (error) {
    fail(explain(error, ""), () => void load(ticket));
  }
}

function ask(ticket: Ticket, options: CeremonyOptions): void {
  show(askView(options, new Date(), () => void touch(ticket, options)));
}

async function touch(ticket: Ticket, options: CeremonyOptions): Promise<void> {
  try {
    busy(ceremony["ceremony.waiting"]);
    const credential = await usePasskey(options);
    busy(ceremony["ceremony.checking"]);
    leave(await finish(ticket, credential), options);
  } catch (error) {
    fail(explain(error, options.user), () => ask(ticket, options));
  }
}

function leave(finished: CeremonyFinished, options: CeremonyOptions): void {
  if (finished.next === "show") return show(codeView(finished.code, options));
  const url = loopbackOnly(finished.url);
  if (url === null) return fail(wrong("return", false));
  show(returningView());
  location.replace(url);
}

function explain(error: unknown, user: string): Wrong {
  if (error instanceof Refused) return refused(error.problem);
  if (error instanceof NoAnswer) return wrong("offline", true);
  const name = error instanceof Error ? error.name : "unknown";
  if (name === "NotAllowedError" || name === "AbortError") return wrong("not-used", true);
  if (name === "InvalidStateError") return wrong("known", true, { user });
  return wrong("browser", true, { reason: name });
}

function fail(it: Wrong, again: () => void = () => {}): void {
  show(wrongView(it, again));
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
  const button = page.querySelector<HTMLButtonElement>("#use");
  if (button !== null) button.disabled = true;
  const waiting = page.querySelector("#waiting");
  if (waiting !== null) waiting.textContent = words;
  say.textContent = words;
}
