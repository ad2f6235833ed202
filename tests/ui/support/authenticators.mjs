// Chromium's virtual authenticators, by its debugging protocol.

/** Plugs one in: `internal` is in the machine, `usb` is a key that is carried around. */
export async function plugIn(driver, transport, changes = {}) {
  await driver.sendDevToolsCommand("WebAuthn.enable", {});
  const options = {
    protocol: "ctap2",
    ctap2Version: "ctap2_1",
    transport,
    hasResidentKey: true,
    hasUserVerification: true,
    hasPrf: true,
    isUserVerified: true,
    automaticPresenceSimulation: true,
    ...changes,
  };
  const { authenticatorId } = await driver.sendAndGetDevToolsCommand("WebAuthn.addVirtualAuthenticator", { options });
  const id = { authenticatorId };
  return {
    credentials: async () => (await driver.sendAndGetDevToolsCommand("WebAuthn.getCredentials", id)).credentials,
    verifies: (isUserVerified) => driver.sendDevToolsCommand("WebAuthn.setUserVerified", { ...id, isUserVerified }),
    /** Whether somebody touches it by themselves whenever it is asked. */
    touched: (enabled) => driver.sendDevToolsCommand("WebAuthn.setAutomaticPresenceSimulation", { ...id, enabled }),
    unplug: () => driver.sendDevToolsCommand("WebAuthn.removeVirtualAuthenticator", id),
  };
}
