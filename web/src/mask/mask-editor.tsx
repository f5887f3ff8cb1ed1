import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useId, useMemo, useState } from "preact/hooks";
import type { EditorProps } from "../images/editors.ts";
import { imageOfBlob } from "../images/image-ref.ts";
import { fields } from "../state/draft.ts";
import { maskImage, setMaskImage } from "../state/draft-images.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { FieldError } from "../ui/field-error.tsx";
import { coverage, isEmpty } from "./bitmap.ts";
import { pressShortcut } from "./keys.ts";
import { text } from "./messages.ts";
import { encodeMask } from "./png.ts";
import { MaskSession } from "./session.ts";
import { Stage } from "./stage.tsx";
import { Toolbar } from "./toolbar.tsx";
import { openMask, WorkingMaskKeeper } from "./working-mask.ts";

/** A dialog to paint the mask of the input image. */
export function MaskEditor({ image, size, onClose }: EditorProps) {
  const [session, setSession] = useState<MaskSession>();
  useEffect(() => {
    void openMask(image.id, size, maskImage.value?.blob).then((bitmap) =>
      setSession(new MaskSession(bitmap)),
    );
  }, [image.id, size]);
  if (session === undefined || image.blob === undefined) return null;
  return <OpenEditor image={image} size={size} file={image.blob} session={session} onClose={onClose} />;
}

interface OpenEditorProps extends EditorProps {
  readonly file: Blob;
  readonly session: MaskSession;
}

function OpenEditor({ image, size, file, session, onClose }: OpenEditorProps) {
  const warning = useSignal<{ readonly sentence: string; readonly revision: number } | undefined>(undefined);
  const keeper = useMemo(() => new WorkingMaskKeeper(image.id), [image.id]);
  const help = useId();
  useSignalEffect(() => {
    if (session.revision.value > 0) keeper.keep(session.bitmap);
  });
  useEffect(() => followShortcuts(session), [session]);
  const warn = (sentence: string) => {
    warning.value = { sentence, revision: session.revision.value };
  };
  const close = () => {
    keeper.end();
    onClose();
  };
  const accept = async () => {
    if (isEmpty(session.bitmap)) {
      warn(text.empty());
      return;
    }
    setMaskImage(imageOfBlob(await encodeMask(session.bitmap), "mask.png", size));
    close();
  };
  const askFirst = () => {
    if (session.canUndo.value) warn(text.unused());
    else close();
  };
  return (
    <Dialog label={text.title()} class="mask-dialog" onClose={askFirst}>
      <div class="mask-editor">
        <h2>{text.title()}</h2>
        <Toolbar session={session} />
        <Stage session={session} image={file} describedBy={help} />
        <p id={help} class="mask-help field-help">
          {text.help()}
        </p>
        <div class="mask-end">
          <p class="field-help">{covered(session)}</p>
          {fields.value.outpaint != null && <p class="field-help">{text.removesBorders()}</p>}
          <FieldError
            error={warning.value?.revision === session.revision.value ? warning.value.sentence : undefined}
          />
          <Button onClick={close}>{text.cancel()}</Button>
          <Button kind="primary" onClick={() => void accept()}>
            {text.accept()}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

function followShortcuts(session: MaskSession): () => void {
  const press = (event: KeyboardEvent) => {
    if (pressShortcut(session, event)) event.preventDefault();
  };
  addEventListener("keydown", press);
  return () => removeEventListener("keydown", press);
}

/** The share of the image that is painted, for the visitor. */
function covered({ revision, bitmap }: MaskSession): string {
  const share = revision.value >= 0 ? coverage(bitmap) : 0;
  if (share === 1) return text.full();
  return text.covered(share > 0 ? Math.max(Math.round(share * 100), 1) : 0);
}
