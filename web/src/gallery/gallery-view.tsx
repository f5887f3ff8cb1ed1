import { Feed } from "./feed.tsx";

/** The gallery with its filters. */
export function GalleryView() {
  return <Feed />;
}
