/** What can be asked for: models, samplers and adapters, loaded once and after signing in. */
import { computed, signal } from "@preact/signals";
import { call } from "../api/client.ts";
import { ApiError, ConnectionError } from "../api/errors.ts";
import type { Adapter, AdapterKind, Model, Sampler } from "../api/types.ts";
import { messages } from "../i18n/messages.ts";
import { notify } from "./notices.ts";
import { isSignedIn } from "./session.ts";

const ADAPTERS_A_PAGE = 1000;
const MAX_PAGES = 10;

export const models = signal<readonly Model[]>([]);
export const samplers = signal<readonly Sampler[]>([]);
export const defaultModel = computed(() => models.value.find((each) => each.is_default));

const adapters = signal<readonly Adapter[]>([]);

const text = messages({
  noAdapters: {
    en: "The names of LoRAs and other adapters could not be loaded. They can still be typed.",
    zh: "无法加载 LoRA 等模型的名称列表，但仍可手动输入名称。",
  },
});

/** The names of the adapters of a kind; none while the list could not be loaded. */
export function adapterNames(kind: AdapterKind): readonly string[] {
  return adapters.value.filter((each) => each.kind === kind).map(({ name }) => name);
}

/** Loads the catalog. Throws what `call` throws for models and samplers; the page works without adapters. */
export async function loadCatalog(): Promise<void> {
  void loadAdapters();
  const [modelList, samplerList] = await Promise.all([call("listModels", {}), call("listSamplers", {})]);
  models.value = modelList.data.data as readonly Model[];
  samplers.value = samplerList.data.data;
}

async function loadAdapters(): Promise<void> {
  const found: Adapter[] = [];
  let cursor: string | undefined;
  try {
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const query = { limit: ADAPTERS_A_PAGE, ...(cursor !== undefined && { cursor }) };
      const { data } = await call("listAdapters", { query });
      found.push(...data.data);
      cursor = data.next_cursor ?? undefined;
      if (cursor === undefined) break;
    }
  } catch (error) {
    if (!(error instanceof ApiError || error instanceof ConnectionError)) throw error;
    if (isSignedIn.value) notify("info", text.noAdapters());
  }
  adapters.value = found;
}
