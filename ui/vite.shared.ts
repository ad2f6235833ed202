import { fileURLToPath } from "node:url";

/** Where the types and paths of the wire are: generated from the Rust sources. */
export const wire = {
  alias: { "@wire": fileURLToPath(new URL("../bindings/typescript", import.meta.url)) },
};
