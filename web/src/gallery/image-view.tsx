import { useEffect, useRef, useState } from "preact/hooks";
import { hasFreshLink } from "../jobs/merge.ts";
import { jobSignal, refreshJob } from "../state/jobs.ts";
import { onWake } from "../state/wake.ts";
import { text } from "./messages.ts";

const MAX_ATTEMPTS = 3;
/** Lists renew the links of all their images with one request; an image that waits longer asks itself. */
const PATIENCE_MS = 1000;

interface ImageViewProps {
  readonly id: string;
  readonly index: number;
  readonly alt: string;
  readonly loading?: "lazy" | "eager";
}

/** A finished image. Its link is renewed when it has ended; an image that is loaded stays. */
export function ImageView({ id, index, alt, loading = "eager" }: ImageViewProps) {
  const image = jobSignal(id).value?.images[index];
  const [loaded, setLoaded] = useState<string>();
  const [failed, setFailed] = useState<string>();
  const [isBroken, setBroken] = useState(false);
  const attempts = useRef(0);
  /** Renewals so far: the same second brings the same link, so that nothing else may change. */
  const [renewals, setRenewals] = useState(0);
  const fresh = image !== undefined && hasFreshLink(image, Date.now(), 0) ? image.url : null;
  const source = loaded ?? (fresh === null || fresh === failed ? undefined : fresh);
  const needsLink = image?.url != null && source === undefined && !isBroken;

  // biome-ignore lint/correctness/useExhaustiveDependencies: a renewal is followed by another look
  useEffect(() => {
    if (!needsLink) return;
    if (attempts.current === MAX_ATTEMPTS) return setBroken(true);
    const wait = attempts.current === 0 && failed !== undefined ? 0 : PATIENCE_MS * (attempts.current + 1);
    const timer = setTimeout(() => {
      attempts.current += 1;
      refreshJob(id).then(
        () => setRenewals((count) => count + 1),
        () => setBroken(true),
      );
    }, wait);
    return () => clearTimeout(timer);
  }, [needsLink, failed, renewals, id]);

  useEffect(() => {
    if (!isBroken) return;
    return onWake(() => {
      attempts.current = 0;
      setFailed(undefined);
      setBroken(false);
    });
  }, [isBroken]);

  if (isBroken) return <span class="image-broken">{text.broken()}</span>;
  if (source === undefined) return <span class="visually-hidden">{alt}</span>;
  return (
    <img
      src={source}
      alt={alt}
      loading={loading}
      decoding="async"
      width={image?.width}
      height={image?.height}
      draggable={false}
      onLoad={() => {
        attempts.current = 0;
        setLoaded(source);
      }}
      onError={() => {
        setLoaded(undefined);
        setFailed(source);
      }}
    />
  );
}
