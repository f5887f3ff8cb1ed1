import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { messages } from "../i18n/messages.ts";
import { ExplainedError } from "./error-text.ts";

const text = messages({
  loading: { en: "Loading…", zh: "加载中…" },
  notLoaded: {
    en: "This part of the page could not be loaded. Check the connection and try again, or reload the page; what you entered is kept.",
    zh: "页面的这一部分加载失败。请检查网络后重试，或重新加载页面；您输入的内容已保存。",
  },
});

/** The code of a part of the page could not be loaded: there is no connection, or a newer page is deployed. */
export class NotLoadedError extends ExplainedError {
  constructor() {
    super(text.notLoaded());
  }
}

interface LazyProps {
  /** Loads the component; the same function at every rendering. */
  readonly load: () => Promise<ComponentType>;
}

/** A part of the page whose code is loaded when it is first shown. Throws NotLoadedError if it cannot be. */
export function Lazy({ load }: LazyProps) {
  const [loaded, setLoaded] = useState<{ readonly Part: ComponentType | undefined }>();
  useEffect(() => {
    load().then(
      (Part) => setLoaded({ Part }),
      () => setLoaded({ Part: undefined }),
    );
  }, [load]);
  if (loaded === undefined) return <p class="loading">{text.loading()}</p>;
  if (loaded.Part === undefined) throw new NotLoadedError();
  return <loaded.Part />;
}
