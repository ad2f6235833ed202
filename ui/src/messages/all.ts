import { acts, app, ceremony, freeze } from "./en";

/** Every message. Apart from `en.ts`, so that the pages of the browser carry their own words alone. */
export const en = { ...ceremony, ...acts, ...freeze, ...app } as const;
export type MessageId = keyof typeof en;
