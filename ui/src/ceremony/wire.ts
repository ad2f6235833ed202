import type { CeremonyFinished } from "@wire/CeremonyFinished";
import type { CeremonyOptions } from "@wire/CeremonyOptions";
import type { CeremonyPurpose } from "@wire/CeremonyPurpose";
import type { Problem } from "@wire/Problem";

/** What the fragment of the page's address says: `#<purpose>.<ceremony id>.<secret>`. */
export type Ticket = Readonly<{ purpose: CeremonyPurpose; ceremonyId: string; secret: string }>;

const TICKET = /^#(register|step-up|recover)\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{16,128})$/;

/** Reads the fragment; `null` when it is not a ticket. */
export function readTicket(fragment: string): Ticket | null {
  const [, purpose, ceremonyId, secret] = TICKET.exec(fragment) ?? [];
  if (purpose === undefined || ceremonyId === undefined || secret === undefined) return null;
  return { purpose: purpose as CeremonyPurpose, ceremonyId, secret };
}

/** The server said no, and why. */
export class Refused extends Error {
  constructor(readonly problem: Problem) {
    super(problem.title);
  }
}

/** No answer came, or none that can be read. */
export class NoAnswer extends Error {}

/** Asks what to show and what to hand to the authenticator. */
export function fetchOptions(ticket: Ticket): Promise<CeremonyOptions> {
  return post(ticket, "options", {}) as Promise<CeremonyOptions>;
}

/** Hands in the authenticator's answer. */
export function finish(ticket: Ticket, credential: unknown): Promise<CeremonyFinished> {
  return post(ticket, "finish", { credential }) as Promise<CeremonyFinished>;
}

async function post(ticket: Ticket, half: "options" | "finish", body: object): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(`/auth/webauthn/${ticket.purpose}/${half}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify({ ceremony_id: ticket.ceremonyId, secret: ticket.secret, ...body }),
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      referrerPolicy: "no-referrer",
    });
  } catch {
    throw new NoAnswer();
  }
  const answer: unknown = await response.json().catch(() => {
    throw new NoAnswer();
  });
  if (!response.ok) throw new Refused(answer as Problem);
  return answer;
}

/** The address to go back to, if it is one on this machine; `null` otherwise. */
export function loopbackOnly(url: string): string | null {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  const safe =
    parsed?.protocol === "http:" && parsed.hostname === "127.0.0.1" && parsed.port !== "" && parsed.username === "";
  return safe ? parsed.href : null;
}
