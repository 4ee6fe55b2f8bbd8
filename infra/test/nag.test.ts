import assert from "node:assert/strict";
import { test } from "node:test";
import { first, prod, synth, taken } from "./helpers.ts";
import { settings } from "../settings.ts";

const LAKES = {
  "a new lake": first,
  "an existing lake": taken,
  "a lake without a key": () => synth(settings.dev!, {}, "dev"),
  "a lake under Lake Formation": () => synth({ ...prod, lakeFormation: true }),
  "a lake with arrivals": () => synth({ ...prod, arrivals: "on", crawl: "events", sources: ["lake/orders"] }),
};

for (const [name, lake] of Object.entries(LAKES)) {
  test(`cdk-nag finds nothing in ${name}`, () => assert.deepEqual(lake().findings, []));
}
