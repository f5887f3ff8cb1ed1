/** What can be asked for: models, samplers and adapters, loaded once and after signing in. */
import { computed, signal } from "@preact/signals";
import { call } from "../api/client.ts";
import type { Model, Sampler } from "../api/types.ts";

export const models = signal<readonly Model[]>([]);
export const samplers = signal<readonly Sampler[]>([]);
export const defaultModel = computed(() => models.value.find((each) => each.is_default));

/** Loads the catalog. Throws what `call` throws. */
export async function loadCatalog(): Promise<void> {
  const [modelList, samplerList] = await Promise.all([call("listModels", {}), call("listSamplers", {})]);
  models.value = modelList.data.data as readonly Model[];
  samplers.value = samplerList.data.data;
}
