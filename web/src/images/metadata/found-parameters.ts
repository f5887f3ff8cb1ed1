import { schemaAt } from "../../api/field-schema.ts";
import type { Sampler, Submission } from "../../api/types.ts";
import { conforms } from "./conforming.ts";

/** The parameters of an image file. */
export interface FoundParameters {
  readonly request: Partial<Submission>;
  /** Parameters that this deployment cannot apply, as `Name: value`. */
  readonly unavailable: readonly string[];
  /** Whether the image was made from other images, which the file only names. */
  readonly usedImages: boolean;
}

/** What this deployment has. */
export interface Catalog {
  readonly models: readonly string[];
  readonly samplers: readonly Pick<Sampler, "name" | "label" | "aliases" | "schedule_types">[];
  /** Names of the adapters by their kind; undefined while they are not known. */
  readonly adapters: ReadonlyMap<string, readonly string[]> | undefined;
}

/** Collects the fields of a request that the API's description allows. */
export class RequestBuilder {
  readonly #fields: Record<string, unknown> = {};
  readonly #unavailable: string[] = [];

  /** Sets a field; a value that the API would refuse is listed as unavailable, as it is `written` in the file. */
  set(name: keyof Submission, value: unknown, label: string = name, written: unknown = value): void {
    if (conforms(value, schemaAt(name))) this.#fields[name] = value;
    else this.refuse(label, written);
  }

  /** Lists a parameter as unavailable. */
  refuse(label: string, value: unknown): void {
    const shown = typeof value === "string" ? value : JSON.stringify(value);
    this.#unavailable.push(`${label}: ${shown.slice(0, 80)}`);
  }

  /** The result. */
  found(usedImages: boolean): FoundParameters {
    return {
      request: this.#fields as Partial<Submission>,
      unavailable: this.#unavailable,
      usedImages,
    };
  }
}
