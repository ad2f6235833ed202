/**
 * Everything that a person reads, in English, under an id. `{name}` is where a value stands.
 * The groups exist so that the ceremony page carries no text of the app.
 */

/** The page on which a person touches a passkey. */
export const ceremony = {
  "ceremony.loading": "One moment",
  "ceremony.register.title": "Make a passkey for {user}",
  "ceremony.register.lead": "With it you can confirm important things, and get back in when this machine is gone.",
  "ceremony.step-up.title": "Is this you, {user}?",
  "ceremony.step-up.lead": "Landfall asks for your passkey, so that no program can act in your name by itself.",
  "ceremony.act.title": "Confirm this, {user}?",
  "ceremony.act.lead": "Your passkey says yes to exactly these words, once, and to nothing else:",
  "ceremony.fact.who": "Who",
  "ceremony.fact.device": "Asked by",
  "ceremony.fact.number": "Number",
  "ceremony.fact.until": "Until",
  "ceremony.who": "{user} at {tenant}",
  "ceremony.device": "{device}",
  "ceremony.device.labelled": "{device} ({label})",
  "ceremony.number": "The app shows the same number.",
  "ceremony.elsewhere": "Is {device} not in front of you, or did you not start this? Close this page. Nothing happens.",
  "ceremony.use.register": "Make a passkey",
  "ceremony.use.step-up": "Use my passkey",
  "ceremony.waiting": "Waiting for your passkey",
  "ceremony.checking": "Checking",
  "ceremony.returning.title": "Done",
  "ceremony.returning.lead": "Going back to the app. You can close this page.",
  "ceremony.code.title": "Type this into the app in front of you",
  "ceremony.code.lead": "Nobody else needs it. Whoever asks you for it, by phone or by mail, is not from Landfall.",
  "ceremony.code.until": "It works for two minutes, on {device} only. Then you can close this page.",
  "ceremony.again": "Try again",

  "ceremony.wrong.no-fragment.what": "Nothing to confirm here",
  "ceremony.wrong.no-fragment.why": "This page forgets what it was opened for when it is reloaded or opened a second time, so that nobody can take it over.",
  "ceremony.wrong.no-fragment.next": "Go back to the app and start again.",
  "ceremony.wrong.unsupported.what": "This browser cannot use passkeys",
  "ceremony.wrong.unsupported.why": "It is too old, or the address of this page does not allow it.",
  "ceremony.wrong.unsupported.next": "Copy the link from the app into a current Firefox, Chrome, Edge or Safari.",
  "ceremony.wrong.offline.what": "The server did not answer",
  "ceremony.wrong.offline.why": "This machine may be offline, or the server may be restarting. Nothing has been confirmed.",
  "ceremony.wrong.offline.next": "Look at the connection, then try again.",
  "ceremony.wrong.not-used.what": "The passkey was not used",
  "ceremony.wrong.not-used.why": "The browser's window was closed, the time ran out, or there is no passkey for this server here.",
  "ceremony.wrong.not-used.next": "Try again. A security key has to be plugged in or held close first.",
  "ceremony.wrong.known.what": "This one is registered already",
  "ceremony.wrong.known.why": "This machine or security key holds a passkey for {user}.",
  "ceremony.wrong.known.next": "Use another machine or another key, or close this page.",
  "ceremony.wrong.browser.what": "The browser could not use a passkey",
  "ceremony.wrong.browser.why": "It gave this reason: {reason}",
  "ceremony.wrong.browser.next": "Try again, or copy the link from the app into another browser.",
  "ceremony.wrong.return.what": "The way back to the app is not safe",
  "ceremony.wrong.return.why": "The server named an address that is not on this machine, so this page did not go there.",
  "ceremony.wrong.return.next": "Close this page and tell whoever runs the server.",
} as const;

/** Acts that are confirmed one by one, in the words that a person agrees to. */
export const acts = {
  "act.issue-token.device": "Let the new device {device} sign in as {user}. The code for it works once, for {span}.",
  "act.issue-token.any-device": "Let one new device sign in as {user}. The code for it works once, for {span}.",
  "act.issue-token.member": "Invite {user} as a member. The invitation works once, for {span}.",
  "act.issue-token.admin": "Invite {user} as an administrator, who can invite and remove others. The invitation works once, for {span}.",
  "act.add-passkey.platform": "Add the passkey “{label}” for {user}, kept in a computer or phone.",
  "act.add-passkey.roaming": "Add the passkey “{label}” for {user}, kept on a security key.",
  "act.remove-passkey": "Remove the passkey {passkey}. It can never be used here again.",
  "act.revoke-device": "Cut off {device} of {user} for ever. It can never sign in again.",
} as const;
