import type { CeremonyOptions } from "@wire/CeremonyOptions";

/** Whether this browser, at this address, can do what the page needs (WebAuthn Level 3, section 5.1). */
export function canUsePasskeys(): boolean {
  return (
    window.isSecureContext &&
    typeof PublicKeyCredential === "function" &&
    typeof PublicKeyCredential.parseCreationOptionsFromJSON === "function" &&
    typeof PublicKeyCredential.parseRequestOptionsFromJSON === "function"
  );
}

/** Lets the person use a passkey. Answers with what the server checks, and nothing of extensions' secrets. */
export async function usePasskey(options: CeremonyOptions): Promise<unknown> {
  const credential = options.purpose === "register" ? await create(options) : await get(options);
  if (!(credential instanceof PublicKeyCredential)) throw new DOMException("no answer", "NotAllowedError");
  const answer = credential.toJSON();
  // What PRF yields opens secrets; it belongs to the person's machine.
  delete (answer.clientExtensionResults as Record<string, unknown>)["prf"];
  return answer;
}

function create(options: CeremonyOptions): Promise<Credential | null> {
  const json = options.public_key as PublicKeyCredentialCreationOptionsJSON;
  return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(json) });
}

function get(options: CeremonyOptions): Promise<Credential | null> {
  const json = options.public_key as PublicKeyCredentialRequestOptionsJSON;
  return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(json) });
}
