/** The moments at which what the page shows may be old: it becomes visible, or the connection is back. */

const CHECK_MS = 30_000;

/** Calls the listener at each such moment; returns a function that stops that. */
export function onWake(listener: () => void): () => void {
  const visible = (): void => {
    if (!document.hidden) listener();
  };
  document.addEventListener("visibilitychange", visible);
  addEventListener("focus", listener);
  addEventListener("online", listener);
  addEventListener("pageshow", listener);
  return () => {
    document.removeEventListener("visibilitychange", visible);
    removeEventListener("focus", listener);
    removeEventListener("online", listener);
    removeEventListener("pageshow", listener);
  };
}

/** Calls the check now, every 30 s and at each such moment; returns a function that stops that. */
export function checkRepeatedly(check: () => void): () => void {
  check();
  const timer = setInterval(check, CHECK_MS);
  const stop = onWake(check);
  return () => {
    clearInterval(timer);
    stop();
  };
}

/** Resolves after the time, or earlier at a wake. */
export function pauseUntilWake(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      stop();
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    const stop = onWake(end);
  });
}
