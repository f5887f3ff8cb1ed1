import { config, session } from "../state/session.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { FieldError } from "../ui/field-error.tsx";
import { openHostedPage } from "./hosted-session.ts";
import { KeyForm } from "./key-form.tsx";
import { text } from "./messages.ts";

/** Asks for credentials while there are none. The page below keeps what the visitor has entered. */
export function SignInDialog() {
  const current = session.value;
  if (current.state !== "signed_out") return null;
  return (
    <Dialog label={text.title()} class="sign-in">
      <h2>{text.title()}</h2>
      {current.ended && <p>{text.ended()}</p>}
      <FieldError error={current.reason} />
      <Credentials />
    </Dialog>
  );
}

function Credentials() {
  const auth = config.value?.auth;
  if (auth?.type === "cognito") {
    return (
      <>
        <p class="field-help">{text.hosted()}</p>
        <Button kind="primary" icon="key" onClick={() => void openHostedPage(auth)}>
          {text.signIn()}
        </Button>
      </>
    );
  }
  if (auth?.key === undefined) return <KeyForm />;
  return (
    <>
      <p>{text.localKey()}</p>
      <Button kind="primary" onClick={() => location.reload()}>
        {text.reload()}
      </Button>
    </>
  );
}
