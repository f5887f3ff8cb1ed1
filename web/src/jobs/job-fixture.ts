/** Jobs for tests. */
import type { Job, JobImage } from "../api/types.ts";

/** An image of a job, whose link ends at a time. */
export function imageFor(seed: number, expires = "2030-01-01T01:00:00Z"): JobImage {
  return {
    s3_uri: `s3://bucket/outputs/${seed}.png`,
    seed,
    width: 512,
    height: 768,
    sha256: "0",
    flags: [],
    url: `https://bucket.example/${seed}.png?expires=${expires}`,
    url_expires_at: expires,
  };
}

/** A job that waits, with some fields of its own. */
export function jobWith(fields: Partial<Job> = {}): Job {
  const id = fields.id ?? "01M8KVSKM2DXF9D8AZ96JVYJA3";
  return {
    id,
    status: "queued",
    phase: "queued",
    progress: null,
    attempt: 1,
    position: null,
    eta_seconds: null,
    eta_basis: null,
    preview: null,
    output_s3_uris: [],
    output_location: null,
    seeds: [7],
    images: [],
    result: null,
    error: null,
    request: {
      id,
      model: "demo",
      prompt: "a red circle",
      negative_prompt: "",
      width: 512,
      height: 768,
      steps: 20,
      guidance_scale: 7.5,
      sampler: "euler_a",
      seed: 7,
      count: 1,
    },
    tags: [],
    webhook_url: null,
    webhook_events: [],
    created_at: "2030-01-01T00:00:00Z",
    started_at: null,
    finished_at: null,
    expires_at: "2030-02-01T00:00:00Z",
    links: { self: `/v1/jobs/${id}`, cancel: null, delete: null },
    ...fields,
  };
}
