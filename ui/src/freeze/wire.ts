import type { Problem } from "@wire/Problem";

/** Reads the fragment of the page's address; `null` when it is no link's secret. */
export function readSecret(fragment: string): string | null {
  return /^#([A-Za-z0-9_-]{43})$/.exec(fragment)?.[1] ?? null;
}

/** The server said no, and why. */
export class Refused extends Error {
  constructor(readonly problem: Problem) {
    super(problem.title);
  }
}

/** No answer came, or none that can be read. */
export class NoAnswer extends Error {}

/** Stops everything of the account that the link belongs to. */
export async function freezeAccount(secret: string): Promise<void> {
  let response: Response;
  try {
    response = await fetch("/notices/freeze", {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify({ secret }),
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      referrerPolicy: "no-referrer",
    });
  } catch {
    throw new NoAnswer();
  }
  if (response.ok) return;
  const problem: unknown = await response.json().catch(() => {
    throw new NoAnswer();
  });
  throw new Refused(problem as Problem);
}
