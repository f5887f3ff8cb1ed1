/** `config.json`: how visitors sign in. */
export type SignIn =
  | { readonly type: "api_key"; readonly key?: string }
  | {
      readonly type: "cognito";
      /** Origin of the hosted page. */
      readonly domain: string;
      readonly client_id: string;
      readonly scopes: readonly string[];
      /** The token that the API accepts. */
      readonly token: "id" | "access";
    };

export interface PageConfig {
  readonly auth: SignIn;
}

/** Reads the configuration of this deployment. */
export async function loadConfig(): Promise<PageConfig> {
  const response = await fetch("/config.json");
  if (!response.ok) throw new Error(`config.json: HTTP ${response.status}`);
  return (await response.json()) as PageConfig;
}
