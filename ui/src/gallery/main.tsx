/** `gallery.html?story=enrolled&theme=dark`: the app over recorded view data, to be looked at and measured. */
import { createRoot } from "react-dom/client";
import { App } from "../app/App";
import { ApiContext } from "../app/hooks";
import "../app/app.css";
import { behind, stories } from "./behind";

const asked = new URLSearchParams(location.search);
const theme = asked.get("theme");
if (theme !== null) document.documentElement.dataset["theme"] = theme;

createRoot(document.getElementById("app") as HTMLElement).render(
  <ApiContext value={stories[asked.get("story") ?? ""] ?? behind()}>
    <App />
  </ApiContext>,
);
