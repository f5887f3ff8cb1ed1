import { useSignal } from "@preact/signals";
import { signInWithKey } from "../state/session.ts";
import { Button } from "../ui/button.tsx";
import { errorText } from "../ui/error-text.ts";
import { Field } from "../ui/field.tsx";
import { text } from "./messages.ts";

/** Characters that a header can carry. */
const KEY = /^[\x21-\x7e]+$/;

/** Asks for an API key, and checks it with a request. */
export function KeyForm() {
  const key = useSignal("");
  const isShown = useSignal(false);
  const isChecking = useSignal(false);
  const error = useSignal<string | undefined>(undefined);

  async function submit(): Promise<void> {
    if (isChecking.value) return;
    const entered = key.value.trim();
    error.value = KEY.test(entered) ? undefined : text.keyForm();
    if (error.value !== undefined) return;
    isChecking.value = true;
    try {
      await signInWithKey(entered);
    } catch (refusal) {
      error.value = errorText(refusal);
    } finally {
      isChecking.value = false;
    }
  }

  return (
    <form
      class="sign-in-form"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <Field label={text.key()} help={text.keyHelp()} error={error.value}>
        {(attributes) => {
          const properties = {
            ...attributes,
            autocomplete: "off",
            spellcheck: false,
            value: key.value,
            onInput: (event: { readonly currentTarget: HTMLInputElement }) => {
              key.value = event.currentTarget.value;
            },
          };
          return isShown.value ? (
            <input type="text" {...properties} />
          ) : (
            <input type="password" {...properties} />
          );
        }}
      </Field>
      <label class="check">
        <input
          type="checkbox"
          checked={isShown.value}
          onChange={(event) => {
            isShown.value = event.currentTarget.checked;
          }}
        />
        {text.show()}
      </label>
      <Button type="submit" kind="primary" disabled={isChecking.value}>
        {isChecking.value ? text.checking() : text.signIn()}
      </Button>
    </form>
  );
}
