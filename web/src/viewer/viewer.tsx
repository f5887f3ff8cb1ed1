import { closeImage, route } from "../app/route.ts";
import { jobSignal } from "../state/jobs.ts";
import { Dialog } from "../ui/dialog.tsx";

/** The image that the route names, large, with its parameters. */
export function Viewer() {
  const { image } = route.value;
  if (image === undefined) return null;
  const shown = jobSignal(image.job).value?.images[image.index];
  return (
    <Dialog label={`Image ${image.index}`} onClose={closeImage}>
      {shown?.url != null && <img src={shown.url} alt="" width={shown.width} height={shown.height} />}
    </Dialog>
  );
}
