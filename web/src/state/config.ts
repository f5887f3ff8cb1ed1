/** `config.json`: how visitors sign in. */
import { ConnectionError, errorOf } from "../api/errors.ts";

/** An API key: the visitor's, or the one that the local stack gives. */
export interface ApiKeySignIn {
  readonly type: "api_key";
  readonly key?: string;
}

/** Cognito's hosted page. */
export interface CognitoSignIn {
  readonly type: "cognito";
  /** Origin of the hosted page. */
  readonly domain: string;
  readonly client_id: string;
  readonly scopes: readonly string[];
  /** The token that the API accepts. */
  readonly token: "id" | "access";
}

export interface PageConfig {
  readonly auth: ApiKeySignIn | CognitoSignIn;
}

/** Reads the configuration of this deployment. Throws ConnectionError or ApiError. */
export async function loadConfig(): Promise<PageConfig> {
  const response = await fetch("/config.json").catch(() => {
    throw new ConnectionError();
  });
  if (!response.ok) throw await errorOf(response);
  return (await response.json()) as PageConfig;
}
