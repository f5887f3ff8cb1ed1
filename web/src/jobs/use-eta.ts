import { useEffect, useRef, useState } from "preact/hooks";
import type { Job } from "../api/types.ts";
import { stepEta } from "./eta.ts";

const SECOND_MS = 1000;

/** The seconds until a job ends, counting down; undefined while they are not known. */
export function useEta(job: Job): number | undefined {
  const ends = useRef<number | undefined>(undefined);
  const [shown, setShown] = useState<number>();
  const isKnown = job.eta_seconds !== null;
  useEffect(() => {
    ends.current = job.eta_seconds === null ? undefined : Date.now() + job.eta_seconds * SECOND_MS;
  }, [job]);
  useEffect(() => {
    if (!isKnown) return setShown(undefined);
    const step = (): void => {
      const end = ends.current;
      if (end !== undefined) setShown((before) => stepEta(before, (end - Date.now()) / SECOND_MS));
    };
    step();
    const timer = setInterval(step, SECOND_MS);
    return () => clearInterval(timer);
  }, [isKnown]);
  return shown;
}
