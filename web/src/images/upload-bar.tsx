import { Button } from "../ui/button.tsx";
import { text } from "./messages.ts";
import { cancelUploads, uploadProgress } from "./upload.ts";

/** The progress of the running uploads, and a button that cancels them. */
export function UploadBar() {
  const shares = [...uploadProgress.value.values()];
  if (shares.length === 0) return null;
  const share = shares.reduce((sum, each) => sum + each, 0) / shares.length;
  return (
    <div class="upload-bar">
      <progress aria-label={text.uploading()} value={share} />
      <Button onClick={cancelUploads}>{text.cancelUpload()}</Button>
    </div>
  );
}
