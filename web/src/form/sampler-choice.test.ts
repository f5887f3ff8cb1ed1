import assert from "node:assert/strict";
import { test } from "node:test";
import { SAMPLERS } from "./fixtures.ts";
import { choiceLabel, plainSamplers, samplerChoice, scheduleLabel, schedulesOf } from "./sampler-choice.ts";

test("a sampler that only adds a schedule is not offered", () => {
  assert.deepEqual(
    plainSamplers(SAMPLERS).map(({ name }) => name),
    ["euler_a", "dpmpp_2m"],
  );
});

test("names, labels and aliases are split into the sampler and its schedule", () => {
  const karras = { sampler: "dpmpp_2m", scheduler: "karras" };
  for (const name of ["dpmpp_2m_karras", "DPM++ 2M Karras", "KarrasDPM"]) {
    assert.deepEqual(samplerChoice(name, SAMPLERS), karras);
  }
  assert.deepEqual(samplerChoice("dpmpp_2m_beta", SAMPLERS), { sampler: "dpmpp_2m", scheduler: "beta" });
  assert.deepEqual(samplerChoice("DPM++ 2M", SAMPLERS), { sampler: "dpmpp_2m" });
  assert.deepEqual(samplerChoice("of another version", SAMPLERS), { sampler: "of another version" });
});

test("the name of a schedule is AUTOMATIC1111's too", () => {
  assert.deepEqual(samplerChoice("DPM++ 2M", SAMPLERS, "SGM Uniform"), {
    sampler: "dpmpp_2m",
    scheduler: "sgm_uniform",
  });
  assert.deepEqual(samplerChoice("DPM++ 2M", SAMPLERS, "Automatic"), { sampler: "dpmpp_2m" });
});

test("schedules are those of the sampler that a combined name contains", () => {
  assert.deepEqual(schedulesOf("dpmpp_2m_karras", SAMPLERS), ["karras", "beta", "sgm_uniform"]);
  assert.deepEqual(schedulesOf("unknown", SAMPLERS), []);
});

test("labels are readable", () => {
  assert.equal(
    choiceLabel({ sampler: "dpmpp_2m", scheduler: "sgm_uniform" }, SAMPLERS),
    "DPM++ 2M SGM Uniform",
  );
  assert.equal(scheduleLabel("karras"), "Karras");
});
