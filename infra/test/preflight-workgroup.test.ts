import assert from "node:assert/strict";
import { test } from "node:test";
import { fine, found, looked, rule, suits, workgroup } from "./account.ts";

const enforced = workgroup({
  ...suits,
  EnforceWorkGroupConfiguration: true,
  ResultConfiguration: { OutputLocation: "s3://pbright-prod-results/queries/" },
});
const EXPIRES: [boolean, object[]][] = [
  [true, [rule(undefined)]],
  [true, [rule("queries/")]],
  [true, [rule("queries/tables/")]],
  [true, [rule(undefined, { Filter: { And: { Prefix: "queries/", Tags: [] } }, Expiration: { Date: "2026-01-01" } })]],
  [false, [rule("others/")]],
  [false, [rule("queries/", { Status: "Disabled" })]],
  [false, [rule("queries/", { Expiration: undefined, NoncurrentVersionExpiration: { NoncurrentDays: 1 } })]],
];
for (const [isHit, rules] of EXPIRES) {
  test(`rules of the results' bucket ${isHit ? "may not" : "may"} be so where builds go there: ${JSON.stringify(rules)}`, () => {
    const { problems, notes } = looked(
      {
        "athena get-work-group": enforced,
        "s3api head-bucket --bucket pbright-prod-results": fine({}),
        "s3api get-bucket-lifecycle-configuration": fine({ Rules: rules }),
      },
      { takeOver: ["workgroup", "results"] },
    );
    assert.equal(problems.filter((problem) => /targets.prod.results: .*"old"/.test(problem)).length, isHit ? 1 : 0);
    assert.deepEqual(notes, []);
  });
}

test("days that results are kept are refused where builds go there", () => {
  const answers = { "athena get-work-group": enforced };
  assert.match(
    found(answers, { takeOver: ["workgroup"], resultDays: 7 }).join(),
    /^settings.ts prod.resultDays: 7, and/,
  );
  assert.deepEqual(looked(answers, { takeOver: ["workgroup"] }), { problems: [], notes: [] });
});

test("a workgroup taken over that suits is fine, and what may be made beside it", () => {
  const enforced = {
    ...suits,
    EnforceWorkGroupConfiguration: true,
    ResultConfiguration: { OutputLocation: "s3://pbright-prod-results/queries" },
  };
  const elsewhere = { ...suits, ResultConfiguration: { OutputLocation: "s3://others/" } };
  for (const configuration of [suits, enforced, elsewhere]) {
    const answers = { "athena get-work-group": workgroup(configuration) };
    const { problems, notes } = looked(answers, { takeOver: ["workgroup"] });
    assert.deepEqual(problems, []);
    // Whoever enforces keeps published tables among the results.
    const piles = notes.filter((note) => /nothing removes query results/.test(note));
    assert.equal(piles.length, configuration === enforced ? 0 : 1);
  }
});

test("a workgroup taken over without a cut-off is taken as it is, and that is said", () => {
  const { problems, notes } = looked({ "athena get-work-group": workgroup({}) }, { takeOver: ["workgroup"] });
  assert.deepEqual(problems, []);
  assert.match(notes.join(), /"pbright" has no cut-off of its own/);
});
