import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Form } from "../form/form.tsx";
import { Feed } from "../gallery/feed.tsx";
import { GalleryView } from "../gallery/gallery-view.tsx";
import { CompareView } from "../grid/compare-view.tsx";
import { SignInDialog } from "../sign-in/sign-in-dialog.tsx";
import { loadCatalog, models } from "../state/catalog.ts";
import { loadConfig } from "../state/config.ts";
import { isSignedIn, session, startSession } from "../state/session.ts";
import { Button } from "../ui/button.tsx";
import { errorText } from "../ui/error-text.ts";
import { Notices } from "../ui/notices.tsx";
import { Viewer } from "../viewer/viewer.tsx";
import { Header } from "./header.tsx";
import { text } from "./messages.ts";
import { route } from "./route.ts";

const failure = signal<unknown>(undefined);

async function start(): Promise<void> {
  failure.value = undefined;
  try {
    if (session.value.state === "starting") startSession(await loadConfig());
    if (isSignedIn.value) await loadCatalog();
  } catch (error) {
    if (isSignedIn.value || session.value.state === "starting") failure.value = error;
  }
}

/** The page. The views stay mounted below the dialog that asks to sign in, so that nothing is lost. */
export function App() {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the catalog is loaded again after each signing in
  useEffect(() => void start(), [isSignedIn.value]);
  return (
    <>
      <Header />
      <main class={`main main-${route.value.view}`}>
        {failure.value !== undefined && (
          <div class="failure" role="alert">
            <p>{errorText(failure.value)}</p>
            <Button onClick={() => void start()}>{text.retry()}</Button>
          </div>
        )}
        {models.value.length > 0 ? <CurrentView /> : <p class="loading">{text.loading()}</p>}
      </main>
      {models.value.length > 0 && <Viewer />}
      <SignInDialog />
      <Notices />
    </>
  );
}

function CurrentView() {
  switch (route.value.view) {
    case "create":
      return (
        <>
          <Form />
          <Feed />
        </>
      );
    case "compare":
      return <CompareView />;
    case "gallery":
      return <GalleryView />;
  }
}
