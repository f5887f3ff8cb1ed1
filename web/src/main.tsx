import "./styles/main.css";
import { render } from "preact";
import { App } from "./app/app.tsx";
import { followAddress } from "./app/route.ts";
import { keepLanguage } from "./i18n/language.ts";
import { forgetUploadsOfOtherSessions } from "./images/upload.ts";
import { keepDraft } from "./state/draft.ts";
import { keepDraftImages } from "./state/draft-images.ts";

keepLanguage();
keepDraft();
void keepDraftImages();
forgetUploadsOfOtherSessions();
followAddress();
const root = document.getElementById("app");
if (root !== null) render(<App />, root);
