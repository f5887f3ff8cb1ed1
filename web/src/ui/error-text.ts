import { ApiError, ConnectionError } from "../api/errors.ts";
import { messages } from "../i18n/messages.ts";

const text = messages({
  offline: {
    en: "The service cannot be reached. Check the connection and try again; nothing that you entered is lost.",
    zh: "无法连接到服务。请检查网络后重试；您输入的内容不会丢失。",
  },
  unavailable: {
    en: (detail: string) => `The service is not available at the moment. Try again in a minute. (${detail})`,
    zh: (detail: string) => `服务暂时不可用，请一分钟后重试。（${detail}）`,
  },
  unexpected: {
    en: (detail: string) => `The page has failed: ${detail}. Reload it; what you entered is kept.`,
    zh: (detail: string) => `页面出错：${detail}。请重新加载；您输入的内容已保存。`,
  },
});

/** An error whose message is a sentence for the visitor. */
export class ExplainedError extends Error {}

/** A sentence for the visitor: what happened, and what to do. Refusals of the API are in its own words. */
export function errorText(error: unknown): string {
  if (error instanceof ConnectionError) return text.offline();
  if (error instanceof ApiError) return error.status >= 500 ? text.unavailable(error.message) : error.message;
  if (error instanceof ExplainedError) return error.message;
  return text.unexpected(error instanceof Error ? error.message : String(error));
}
