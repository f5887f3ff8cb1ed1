import { messages } from "../i18n/messages.ts";

export const text = messages({
  title: { en: "Sign in", zh: "登录" },
  ended: {
    en: "Your session has ended. Sign in again to go on: everything that you entered is still there.",
    zh: "登录已失效。请重新登录以继续：您输入的内容都还在。",
  },
  key: { en: "API key", zh: "API 密钥" },
  keyHelp: {
    en: "It is kept in this tab until you sign out or close the tab. The operator of this deployment has the key.",
    zh: "密钥只保存在此标签页中，退出登录或关闭标签页后即清除。密钥请向本部署的管理员索取。",
  },
  keyForm: {
    en: "This is not an API key: a key consists of letters and digits, without spaces.",
    zh: "这不是 API 密钥：密钥由字母和数字组成，不含空格。",
  },
  show: { en: "Show the key", zh: "显示密钥" },
  signIn: { en: "Sign in", zh: "登录" },
  checking: { en: "Checking…", zh: "正在验证…" },
  hosted: {
    en: "The sign-in page of this deployment opens. You come back here afterwards.",
    zh: "将打开本部署的登录页面，登录后会返回此处。",
  },
  hostedFailed: {
    en: (detail: string) => `Signing in has failed: ${detail}`,
    zh: (detail: string) => `登录失败：${detail}`,
  },
  foreignAnswer: {
    en: "The sign-in page's answer does not belong to a request of this tab. Sign in again.",
    zh: "登录页面的回应不属于此标签页的请求，请重新登录。",
  },
  renewalRefused: {
    en: "The session could not be renewed. Sign in again.",
    zh: "无法续期登录，请重新登录。",
  },
  localKey: {
    en: "The local stack has another API key now. Reload the page to use it: everything that you entered is kept.",
    zh: "本地服务的 API 密钥已更换。请重新加载页面：您输入的内容都会保留。",
  },
  reload: { en: "Reload", zh: "重新加载" },
});
