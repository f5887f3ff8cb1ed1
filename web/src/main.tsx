import "./styles/main.css";
import { render } from "preact";
import { App } from "./app/app.tsx";
import { followAddress } from "./app/route.ts";
import { keepLanguage } from "./i18n/language.ts";
import { keepDraft } from "./state/draft.ts";

keepLanguage();
keepDraft();
followAddress();
const root = document.getElementById("app");
if (root !== null) render(<App />, root);
