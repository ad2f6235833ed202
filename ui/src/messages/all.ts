import { acts, app, ceremony } from "./en";

/** Every message. Apart from `en.ts`, so that the ceremony page carries its own words alone. */
export const en = { ...ceremony, ...acts, ...app } as const;
export type MessageId = keyof typeof en;
