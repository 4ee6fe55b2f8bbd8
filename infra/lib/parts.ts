import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CfnParameter, Stack } from "aws-cdk-lib";
import { Code, type CodeConfig } from "aws-cdk-lib/aws-lambda";
import { Bucket } from "aws-cdk-lib/aws-s3";
import { Asset } from "aws-cdk-lib/aws-s3-assets";
import type { Construct } from "constructs";
import type { At } from "./at.ts";
import { bundle, type Project } from "./project.ts";

/** Where the function's code and the project's bundle come from. */
export interface Parts {
  code: Code;
  bundle: { bucket: string; key: string; revision: string };
}

const INFRA = fileURLToPath(new URL("..", import.meta.url));

/** Code and bundle as assets, which `cdk deploy` uploads. */
export function assets(scope: Construct, at: At, project: Project): Parts {
  const { path, revision } = writeBundle(project);
  const asset = new Asset(scope, "Bundle", { path });
  const { built } = project;
  const code = at.settings.code === "image" ? new ImageCode(built, at.settings.architecture) : zipCode(built, at);
  return { code, bundle: { bucket: asset.s3BucketName, key: asset.s3ObjectKey, revision } };
}

/** Writes the project's bundle under a name that changes with it. */
export function writeBundle(project: Project): { path: string; revision: string } {
  const content = bundle(project);
  const path = join(INFRA, ".stage", `${content.revision}.json`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, JSON.stringify(content));
  return { path, revision: content.revision };
}

/** Code and bundle as parameters of a template that is deployed without CDK. */
export function parameters(scope: Construct): Parts {
  const text = (id: string, description: string) =>
    new CfnParameter(scope, id, { type: "String", description }).valueAsString;
  const code = {
    bucket: text("CodeBucket", "Bucket of the function's zip"),
    key: text("CodeKey", "Key of bootstrap.zip; a new one for each version"),
  };
  return {
    code: Code.fromBucketV2(Bucket.fromBucketName(scope, "Code", code.bucket), code.key),
    bundle: {
      bucket: text("BundleBucket", "Bucket of the project's bundle"),
      key: text("BundleKey", "Key of the project's bundle; a new one for each version"),
      revision: text("BundleRevision", "The bundle's `revision`"),
    },
  };
}

function zipCode(built: string, at: At): Code {
  const zip = join(built, "bootstrap.zip");
  return existsSync(zip) ? Code.fromAsset(zip) : new MissingCode(at.settings.architecture);
}

/** A zip that is not built yet: templates can be made without it, a deployment says how to build it. */
class MissingCode extends Code {
  readonly isInline = false;

  constructor(private readonly architecture: string) {
    super();
  }

  override bind(scope: Construct): CodeConfig {
    const { bucketName, objectKey } = Stack.of(scope).synthesizer.addFileAsset({
      sourceHash: "not-built",
      executable: ["node", join(INFRA, "bin/not-built.js"), this.architecture],
    });
    return { s3Location: { bucketName, objectKey } };
  }
}

/** A container image, built of Dockerfile and the binary when it is deployed. */
class ImageCode extends Code {
  readonly isInline = false;

  constructor(
    private readonly built: string,
    private readonly architecture: string,
  ) {
    super();
  }

  override bind(scope: Construct): CodeConfig {
    const binary = join(this.built, "bootstrap");
    const parts = [join(INFRA, "Dockerfile"), binary].map((path) =>
      existsSync(path) ? readFileSync(path) : "not built",
    );
    const sourceHash = createHash("sha256")
      .update(parts.map((part) => createHash("sha256").update(part).digest("hex")).join())
      .digest("hex");
    const { imageUri } = Stack.of(scope).synthesizer.addDockerImageAsset({
      sourceHash,
      executable: ["node", join(INFRA, "bin/image.js"), this.built, this.architecture],
    });
    return { image: { imageUri } };
  }
}
