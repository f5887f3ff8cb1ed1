import { messages } from "../i18n/messages.ts";

export const text = messages({
  name: { en: "Stable Diffusion", zh: "Stable Diffusion" },
  views: { en: "Views", zh: "视图" },
  create: { en: "Create", zh: "创作" },
  compare: { en: "Compare", zh: "对比" },
  gallery: { en: "Gallery", zh: "图库" },
  language: { en: "Language", zh: "语言" },
  signOut: { en: "Sign out", zh: "退出登录" },
  reference: { en: "API", zh: "API" },
  loading: { en: "Loading…", zh: "加载中…" },
  retry: { en: "Try again", zh: "重试" },
});
