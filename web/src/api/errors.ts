import type { FieldError, Problem } from "./types.ts";

/** A refusal of the API: its problem document (RFC 9457). */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly errors: readonly FieldError[];
  readonly retryable: boolean;
  /** Seconds to wait before the same request may succeed; undefined if the API did not say. */
  readonly retryAfter: number | undefined;

  constructor(status: number, problem: Partial<Problem>, retryAfter?: number) {
    super(problem.detail ?? `HTTP ${status}`);
    this.status = status;
    this.code = problem.code ?? "internal";
    this.errors = problem.errors ?? [];
    this.retryable = problem.retryable ?? status >= 500;
    this.retryAfter = retryAfter;
  }

  /** Whether the visitor has to sign in again. */
  get isAccess(): boolean {
    return this.status === 401 || this.status === 403;
  }

  /** Whether the service asks to send the same request again after `retryAfter`. */
  get asksToRepeat(): boolean {
    return (this.status === 429 || this.status === 503) && this.retryAfter !== undefined;
  }

  /** The API's sentence about a field of the request, such as `width` or `loras/0/name`; undefined if none. */
  field(path: string): string | undefined {
    return this.errors.find(({ pointer }) => pointer === `#/${path}`)?.detail;
  }
}

/** The API could not be reached. */
export class ConnectionError extends Error {}

/** The error of a response that is no success. */
export async function errorOf(response: Response): Promise<ApiError> {
  const seconds = Number(response.headers.get("Retry-After") ?? Number.NaN);
  const retryAfter = Number.isFinite(seconds) ? seconds : undefined;
  let problem: Partial<Problem> = {};
  try {
    problem = (await response.json()) as Partial<Problem>;
  } catch {
    // A proxy between the page and the API answers without a problem document; the status remains.
  }
  return new ApiError(response.status, problem, retryAfter);
}
