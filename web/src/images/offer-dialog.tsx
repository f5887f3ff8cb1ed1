import { applyRequest } from "../form/apply.ts";
import { setInputImage } from "../state/draft-images.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { text } from "./messages.ts";
import { type Offer, offer } from "./offer.ts";
import { ImageFileError } from "./open-file.ts";
import { Thumbnail } from "./thumbnail.tsx";

/** Asks what an image that contains parameters is to be used for. */
export function OfferDialog({ offered }: { readonly offered: Offer }) {
  const { name, found } = offered;
  const refusal = offered.image instanceof ImageFileError ? offered.image.message : undefined;
  const image = offered.image instanceof ImageFileError ? undefined : offered.image;
  const close = () => {
    offer.value = undefined;
  };
  const takeImage = () => image !== undefined && setInputImage(image);
  const takeParameters = () => applyRequest(found.request, { withSeed: true });
  return (
    <Dialog label={text.offerTitle()} class="offer" onClose={close}>
      <h2>{text.offerTitle()}</h2>
      <div class="offer-image">
        {image !== undefined && <Thumbnail image={image} />}
        <p>{name}</p>
      </div>
      <blockquote class="offer-prompt">{found.request.prompt}</blockquote>
      {found.unavailable.length > 0 && (
        <p class="field-help">{text.notAvailable(found.unavailable.join("; "))}</p>
      )}
      {found.usedImages && <p class="field-help">{text.usedImages()}</p>}
      {refusal !== undefined && <p class="field-error">{refusal}</p>}
      <p>{text.offerUse()}</p>
      <div class="dialog-actions">
        <Choice label={text.takeParameters()} isPrimary onChoose={[takeParameters, close]} />
        {image !== undefined && (
          <>
            <Choice label={text.asInput()} onChoose={[takeImage, close]} />
            <Choice label={text.takeBoth()} onChoose={[takeParameters, takeImage, close]} />
          </>
        )}
        <Button onClick={close}>{text.cancel()}</Button>
      </div>
    </Dialog>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly isPrimary?: boolean;
  readonly onChoose: readonly (() => unknown)[];
}

function Choice({ label, isPrimary = false, onChoose }: ChoiceProps) {
  return (
    <Button
      kind={isPrimary ? "primary" : "plain"}
      onClick={() => {
        for (const act of onChoose) act();
      }}
    >
      {label}
    </Button>
  );
}
