import { useEffect, useRef } from "preact/hooks";
import { Form } from "../form/form.tsx";
import { Feed } from "../gallery/feed.tsx";
import { ImageDialogs } from "../images/image-dialogs.tsx";
import { SignInDialog } from "../sign-in/sign-in-dialog.tsx";
import { models } from "../state/catalog.ts";
import { session } from "../state/session.ts";
import { openDialogs } from "../ui/dialog.tsx";
import { ErrorBoundary } from "../ui/error-boundary.tsx";
import { Lazy } from "../ui/lazy.tsx";
import { Notices } from "../ui/notices.tsx";
import { ConnectionNotice } from "./connection-notice.tsx";
import { Header } from "./header.tsx";
import { text } from "./messages.ts";
import { route } from "./route.ts";
import { ShortcutsHelp } from "./shortcuts-help.tsx";
import { StartFailure } from "./start-failure.tsx";

const compareView = async () => (await import("../grid/compare-view.tsx")).CompareView;
const galleryView = async () => (await import("../gallery/gallery-view.tsx")).GalleryView;
const viewer = async () => (await import("../viewer/viewer.tsx")).Viewer;

/** The page. The views stay mounted below the dialog that asks to sign in, so that nothing is lost. */
export function App() {
  const main = useRef<HTMLElement>(null);
  const { view } = route.value;
  const shown = useRef(view);
  useEffect(() => {
    const hasFocus = main.current?.contains(document.activeElement) ?? false;
    if (shown.current !== view && !hasFocus) main.current?.focus();
    shown.current = view;
  }, [view]);
  return (
    <>
      <button type="button" class="skip-link button" onClick={() => main.current?.focus()}>
        {text.skip()}
      </button>
      <Header />
      <ConnectionNotice />
      <main ref={main} class={`main main-${view}`} tabIndex={-1}>
        <h1 class="visually-hidden">{text[view]()}</h1>
        <StartFailure />
        <ErrorBoundary key={view}>
          <CurrentView />
        </ErrorBoundary>
      </main>
      {models.value.length > 0 && route.value.image !== undefined && (
        <ErrorBoundary>
          <Lazy load={viewer} />
        </ErrorBoundary>
      )}
      {models.value.length > 0 && <ImageDialogs />}
      <SignInDialog />
      <ShortcutsHelp />
      {openDialogs.value.length === 0 && <Notices />}
    </>
  );
}

function CurrentView() {
  if (models.value.length === 0) {
    return session.value.state === "signed_out" ? null : <p class="loading">{text.loading()}</p>;
  }
  switch (route.value.view) {
    case "create":
      return (
        <>
          <Form />
          <Feed />
        </>
      );
    case "compare":
      return <Lazy load={compareView} />;
    case "gallery":
      return <Lazy load={galleryView} />;
  }
}
