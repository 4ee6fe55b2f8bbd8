import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { stringify } from "yaml";
import { addStacks, check as checkAll } from "../lib/app.ts";
import { projectProblems } from "../lib/check/index.ts";
import { arrivalsArn } from "../lib/arrivals.ts";
import { bundle, readProject } from "../lib/project.ts";
import type { Written } from "../lib/settings.ts";
import { plainTemplate } from "../lib/plain.ts";
import { settings } from "../settings.ts";
import { NOW, prod, project, scratch, scratchApp, synth, taken } from "./helpers.ts";

const INFRA = new URL("..", import.meta.url);

test("template.yaml is the target prod (else: npm run template)", () => {
  assert.equal(readFileSync(new URL("template.yaml", INFRA), "utf8"), plainTemplate(project, "prod", prod, NOW));
});

test("template.yaml asks for nothing but code and bundle, and knows nothing of CDK", () => {
  const text = readFileSync(new URL("template.yaml", INFRA), "utf8");
  const names = [...text.split("Resources:")[0]!.matchAll(/^  (\w+):$/gm)].map(([, name]) => name);
  assert.deepEqual(names, ["CodeBucket", "CodeKey", "BundleBucket", "BundleKey", "BundleRevision"]);
  assert.doesNotMatch(text, /cdk|bootstrap-version/i);
  // What `aws cloudformation deploy` sends without a bucket.
  assert.ok(text.length < 51_200);
});

test("an existing lake's template is as it was (else: UPDATE_SNAPSHOTS=1 npm test)", () => {
  const file = new URL("snapshots/existing-lake.yaml", import.meta.url);
  const text = stringify(taken().json, {
    version: "1.1",
    lineWidth: 0,
    aliasDuplicateObjects: false,
    indentSeq: false,
  });
  // Hashes of what is built and deployed change with it.
  const stable = text.replace(/[0-9a-f]{64}/g, "HASH");
  if (process.env.UPDATE_SNAPSHOTS) writeFileSync(file, stable);
  assert.equal(readFileSync(file, "utf8"), stable);
});

test("dev and prod are two stacks of one app, which share no name", () => {
  const app = scratchApp();
  addStacks(app, project, settings, NOW);
  const stacks = app.synth().stacks;
  assert.deepEqual(
    stacks.map((stack) => stack.stackName),
    ["crawlguard-pbright-dev", "crawlguard-pbright-prod"],
  );
  const names = stacks.map((stack) => {
    const found = Object.values<any>(stack.template.Resources).map((it) => {
      const { Name, BucketName, TopicName, FunctionName, AlarmName, LogGroupName, DashboardName, DatabaseInput } =
        it.Properties;
      return (
        Name ??
        BucketName ??
        TopicName ??
        (typeof FunctionName === "string" ? FunctionName : undefined) ??
        AlarmName ??
        LogGroupName ??
        DashboardName ??
        DatabaseInput?.Name
      );
    });
    return new Set(found.filter((name) => typeof name === "string"));
  });
  assert.ok(names[0]!.size > 15);
  assert.deepEqual(
    [...names[0]!].filter((name) => names[1]!.has(name)),
    [],
  );
});

test("synthesis needs no account, no region, no network and no program", () => {
  const script = `
    import dns from "node:dns"; import net from "node:net"; import child from "node:child_process";
    const refuse = () => { throw new Error("not needed"); };
    net.Socket.prototype.connect = refuse; dns.lookup = refuse; child.spawn = refuse; child.spawnSync = refuse; child.execSync = refuse;
    const { addStacks, here, newApp } = await import("./lib/app.ts");
    const { settings } = await import("./settings.ts");
    const app = newApp({ outdir: process.argv[1] });
    addStacks(app, here(), { dev: { ...settings.dev, code: "image" }, prod: settings.prod }, new Date(0));
    console.log(app.synth().stacks.length);`;
  const outdir = scratch();
  const run = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", script, outdir], {
    cwd: INFRA,
    env: { PATH: "", HOME: outdir, TMPDIR: outdir },
    encoding: "utf8",
  });
  assert.equal(run.stdout.trim(), "2", run.stderr);
});

test("a function that is not built is told of when it would be uploaded, with the command that builds it", () => {
  const run = spawnSync(process.execPath, ["bin/not-built.js", "x86_64"], { cwd: INFRA, encoding: "utf8" });
  assert.equal(run.status, 1);
  assert.match(run.stderr, /cargo lambda build --release --bin crawlguard-lambda/);
});

test("an image is built for the function's processor, as one image and not an index, from the folder with the binary", () => {
  const folder = scratch();
  const docker = join(folder, "docker");
  writeFileSync(docker, `#!/bin/sh\necho "$@" > ${folder}/asked\n`, { mode: 0o755 });
  const build = (built: string) =>
    spawnSync(process.execPath, ["bin/image.js", built, "x86_64"], {
      cwd: INFRA,
      env: { PATH: `${folder}:/bin:/usr/bin` },
      encoding: "utf8",
    });
  assert.match(build(folder).stderr, /no .*bootstrap; build it/);
  writeFileSync(join(folder, "bootstrap"), "");
  assert.equal(build(folder).stdout, "crawlguard-lambda:deploy");
  const asked = readFileSync(join(folder, "asked"), "utf8");
  assert.match(asked, /^build --platform linux\/amd64 --provenance=false --file .*Dockerfile --tag \S+ \S+\n$/);
});

test("the zip is the asset if it is built, and else what tells so", () => {
  const root = scratch();
  const empty = { ...project, root, built: root, folders: [] };
  writeFileSync(join(root, "crawlguard.toml"), "project = 'p'\n");
  const app = scratchApp();
  addStacks(app, empty, { prod }, NOW);
  const assets = JSON.parse(readFileSync(join(app.synth().directory, "crawlguard-pbright-prod.assets.json"), "utf8"));
  const commands = Object.values<any>(assets.files)
    .map((file) => file.source.executable)
    .filter(Boolean);
  assert.equal(commands.length, 1);
  assert.ok(existsSync(commands[0][1]));
});

/** A program's header, as `cargo lambda` packs it. */
function built(machine: number, method: 0 | 8): string {
  const folder = scratch();
  const program = Buffer.concat([
    Buffer.from("7f454c46", "hex"),
    Buffer.alloc(14),
    Buffer.of(machine, 0),
    Buffer.alloc(99),
  ]);
  const data = method === 8 ? deflateRawSync(program) : program;
  const name = Buffer.from("bootstrap");
  const local = Buffer.alloc(30);
  local.writeUInt16LE(name.length, 26);
  const entry = Buffer.alloc(46);
  entry.writeUInt32LE(0x02014b50, 0);
  entry.writeUInt16LE(method, 10);
  entry.writeUInt32LE(data.length, 20);
  entry.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt32LE(local.length + name.length + data.length, 16);
  writeFileSync(join(folder, "bootstrap.zip"), Buffer.concat([local, name, data, entry, name, end]));
  writeFileSync(join(folder, "bootstrap"), program);
  return folder;
}

test("a function that was built for another processor is refused before it is deployed", () => {
  const problems = (folder: string, written: object) => {
    try {
      checkAll({ ...project, built: folder }, { prod: { ...prod, ...written } }, NOW);
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  };
  for (const method of [0, 8] as const) {
    assert.equal(problems(built(0xb7, method), {}), "");
    assert.equal(problems(built(0x3e, method), { architecture: "x86_64" }), "");
    assert.match(
      problems(built(0x3e, method), {}),
      /prod\.architecture: "arm64", and .* was built for x86_64; build it with/,
    );
    assert.match(
      problems(built(0xb7, method), { code: "image", architecture: "x86_64" }),
      /was built for arm64; build it without/,
    );
  }
  const folder = scratch();
  writeFileSync(join(folder, "bootstrap.zip"), "no zip at all, but long enough to be one");
  assert.match(problems(folder, {}), /holds no program of Linux/);
});

test("a project whose texts a deployment would refuse is refused before it", () => {
  const root = scratch();
  const lines = ['project = "mine"', "[targets.prod]", 'kind = "aws"'];
  const found = (files: Record<string, string>) => {
    const folder = join(root, String(Math.random()));
    for (const [path, text] of Object.entries({ "crawlguard.toml": lines.join("\n"), ...files })) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    return projectProblems(readProject(folder, folder)).join("\n");
  };
  assert.equal(found({ "contracts/raw_a.json": "{}", "sql/int_a.sql": "SELECT 1" }), "");
  assert.match(found({ "contracts/raw_a.json": "{" }), /^contracts\/raw_a\.json: /);
  assert.equal(found({ "sql/int_a.sql": " \n" }), "sql/int_a.sql: empty; write a SELECT, or remove the file");
  assert.match(found({ "crawlguard.toml": "[targets.prod]" }), /^crawlguard.toml project: not set/);
  assert.match(found({ "crawlguard.toml": 'project = "p"\nsql = "models"' }), /^settings.ts project: .*models/);
});

test("the bundle holds what a run reads, and its revision is that of src/pipeline/bundle.rs", () => {
  const root = scratch();
  writeFileSync(join(root, "crawlguard.toml"), 'project = "é"\n');
  const small = bundle({ ...project, root, folders: [] });
  // sha256 of {"crawlguard.toml":"project = \"é\"\n"}
  assert.equal(small.revision, "370a645dd5800f343fe21796746e6b9f689cfc5601c8d29c0d1de0023c29af9e");
  const whole = bundle(project);
  assert.ok(
    ["crawlguard.toml", "contracts/raw_source_1.json", "sql/fact_leads.sql", "alerts/breaking.txt"].every(
      (path) => path in whole.files,
    ),
  );
  assert.deepEqual(Object.keys(whole.files), Object.keys(whole.files).sort());
});

test("a project elsewhere is deployed as it is, without a folder that it does not have", () => {
  const root = scratch();
  mkdirSync(join(root, "sql"));
  writeFileSync(join(root, "sql/int_a.sql"), "SELECT 1 AS a\n");
  writeFileSync(join(root, "crawlguard.toml"), 'project = "mine"\n[targets.prod]\nkind = "aws"\n');
  const mine = readProject(root, root);
  assert.deepEqual(Object.keys(bundle(mine).files), ["crawlguard.toml", "sql/int_a.sql"]);
  assert.deepEqual([mine.name, mine.targets.prod!.raw_prefix], ["mine", "raw_"]);
  writeFileSync(join(root, "crawlguard.toml"), "project = ");
  assert.throws(() => readProject(root, root), /settings.ts project: .*crawlguard.toml cannot be read/);
  assert.throws(() => readProject(join(root, "none"), root), /settings.ts project: .*none.*cannot be read/);
});

for (const [region, partition] of [
  ["cn-north-1", "aws-cn"],
  ["us-gov-west-1", "aws-us-gov"],
] as const) {
  test(`in ${region} every ARN is of ${partition}, and so is the one that a bucket has to tell`, () => {
    const topic = `arn:${partition}:sns:${region}:123456789012:pbright-prod-alerts`;
    const written: Written = {
      ...prod,
      arrivals: "on",
      crawl: "events",
      sources: ["lake/orders"],
      lakeFormation: true,
    };
    const { json } = synth(written, { region, topic });
    const text = JSON.stringify(json);
    const found = [...text.matchAll(/arn:(aws[\w-]*):/g)].map(([, it]) => it);
    assert.ok(found.length > 20);
    assert.deepEqual([...new Set(found)], [partition]);
    // Nor is there an address, which differs as well.
    assert.equal(/https?:/.test(text), false);
    const [is] = checkAll(
      { ...project, targets: { prod: { ...project.targets.prod!, region, topic } } },
      { prod: written },
      NOW,
    );
    assert.equal(arrivalsArn(is!), `arn:${partition}:sns:${region}:123456789012:crawlguard-pbright-prod-arrivals`);
  });
}

for (const command of ["template", "preflight"]) {
  test(`${command} of a target that is not there names those that are`, () => {
    const args = ["--import", "tsx", `bin/${command}.ts`, "nosuch"];
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: INFRA, encoding: "utf8" });
    assert.equal(stderr, "1 setting(s) to mend:\n- settings.ts nosuch: there is no such target; it has dev, prod\n");
    assert.equal(status, 2);
  });
}

test("a plain template is refused for what a deployment would be", () => {
  const long = { ...project, name: "a-rather-long-name-of-a-project-that-nobody-types" };
  assert.throws(() => plainTemplate(long, "prod", prod, NOW), /crawlguard.toml project: the name .* is longer than 56/);
});

test("a target's template does not depend on the day", () => {
  const { json } = synth(prod);
  assert.deepEqual(synth(prod).json, json);
});
