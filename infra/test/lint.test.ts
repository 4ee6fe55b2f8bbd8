import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

const INFRA = new URL("..", import.meta.url);
const isAbsent = spawnSync("cfn-lint", ["--version"]).status !== 0;
// On a developer's machine it may be missing, in CI it may not.
const skip = isAbsent && !process.env.CI ? "cfn-lint is not installed" : false;
if (skip) {
  const says = "cfn-lint is not installed, so the templates were not linted: pip install -r test/requirements.txt";
  process.on("exit", () => console.error(`\nNOT CHECKED: ${says}`));
}

for (const file of ["template.yaml", "test/snapshots/existing-lake.yaml"]) {
  test(`cfn-lint finds nothing in ${file}`, { skip }, () => {
    const run = spawnSync("cfn-lint", [file], { cwd: INFRA, encoding: "utf8" });
    assert.equal(run.status, 0, run.error?.message ?? run.stdout + run.stderr);
  });
}
