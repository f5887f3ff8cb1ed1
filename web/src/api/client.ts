import { connectionFailed, connectionWorks } from "../state/connection.ts";
import { authorization, endSessionIfRefused } from "../state/session.ts";
import { ConnectionError, errorOf } from "./errors.ts";
import { OPERATIONS } from "./operations.ts";
import type { operations } from "./schema.ts";

/** How often a request is repeated that the service asks to repeat. */
const MAX_RETRIES = 4;
const MAX_RETRY_AFTER_S = 10;

type Name = keyof typeof OPERATIONS;
type Success = 200 | 201 | 202 | 204 | 304;
type BodyOf<Response> = Response extends { readonly content: { readonly "application/json": infer Body } }
  ? Body
  : undefined;
type Responses<Operation extends Name> = operations[Operation]["responses"];

/** The body of an operation's successful answers; undefined for those without one. */
export type Result<Operation extends Name> = {
  [Status in Extract<keyof Responses<Operation>, Success>]: BodyOf<Responses<Operation>[Status]>;
}[Extract<keyof Responses<Operation>, Success>];

type Parameters<Operation extends Name> = {
  readonly [Kind in keyof operations[Operation]["parameters"]]: operations[Operation]["parameters"][Kind];
};
type RequestBody<Operation extends Name> = operations[Operation] extends {
  readonly requestBody: { readonly content: { readonly "application/json": infer Body } };
}
  ? { readonly body: Body }
  : { readonly body?: never };

/** The parameters (`path`, `query`, `header`) and the body of an operation. */
export type Input<Operation extends Name> = Parameters<Operation> &
  RequestBody<Operation> & { readonly signal?: AbortSignal };

/** A successful answer. */
export interface Answer<Operation extends Name> {
  readonly data: Result<Operation>;
  readonly headers: Headers;
}

interface AnyInput {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | null | undefined>>;
  readonly header?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/**
 * Calls an operation of the API with the session's credentials.
 *
 * Throws ConnectionError without an answer, and ApiError for answers that are neither successful nor 304. The
 * end of the session is shown; what the visitor has entered stays.
 */
export async function call<Operation extends Name>(
  operation: Operation,
  input: Input<Operation>,
): Promise<Answer<Operation>> {
  const request = await requestOf(operation, input as AnyInput);
  const response = await send(request);
  // API Gateway gives answers without a body a content type too.
  const body = await response.text();
  const data = (body === "" ? undefined : JSON.parse(body)) as Result<Operation>;
  return { data, headers: response.headers };
}

async function requestOf(operation: Name, input: AnyInput): Promise<Request> {
  const { method, path } = OPERATIONS[operation];
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(input.path?.[name] ?? ""),
  );
  const url = new URL(filled, location.origin);
  for (const [name, value] of Object.entries(input.query ?? {})) {
    if (value !== undefined && value !== null) url.searchParams.set(name, String(value));
  }
  const headers = new Headers();
  for (const [name, value] of Object.entries(input.header ?? {})) {
    if (value !== undefined) headers.set(name, value);
  }
  for (const [name, value] of await authorization()) headers.set(name, value);
  const body = input.body === undefined ? null : JSON.stringify(input.body);
  if (body !== null) headers.set("Content-Type", "application/json");
  return new Request(url, { method, headers, body, signal: input.signal ?? null });
}

/** Sends a request, again when the service asks to. */
async function send(request: Request): Promise<Response> {
  for (let attempt = 0; ; attempt += 1) {
    const response = await attemptTo(request);
    if (response.ok || response.status === 304) return response;
    const error = await errorOf(response);
    if (!error.asksToRepeat || attempt === MAX_RETRIES) {
      if (error.isAccess) await endSessionIfRefused();
      throw error;
    }
    await pause(Math.min(error.retryAfter ?? 1, MAX_RETRY_AFTER_S) * 1000, request.signal);
  }
}

async function attemptTo(request: Request): Promise<Response> {
  try {
    const response = await fetch(request.clone());
    if (response.status < 500) connectionWorks();
    return response;
  } catch (error) {
    if (request.signal.aborted) throw error;
    connectionFailed();
    throw new ConnectionError();
  }
}

/** Resolves after the time; rejects when the signal is aborted. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
