// Builds the function's image and prints its name; runs when the image is uploaded.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const [built, architecture] = process.argv.slice(2);
if (!existsSync(join(built, "bootstrap"))) {
  process.stderr.write(`no ${join(built, "bootstrap")}; build it with \`cargo lambda build\` as docs/deploy.md says\n`);
  process.exit(1);
}
const dockerfile = fileURLToPath(new URL("../Dockerfile", import.meta.url));
const name = "crawlguard-lambda:deploy";
const platform = architecture === "x86_64" ? "linux/amd64" : "linux/arm64";
// Lambda takes one image, not the index that a build with provenance makes.
// https://docs.aws.amazon.com/lambda/latest/dg/go-image.html
const options = ["--platform", platform, "--provenance=false", "--file", dockerfile, "--tag", name];
const { error, status } = spawnSync("docker", ["build", ...options, built], { stdio: ["ignore", 2, 2] });
if (error) process.stderr.write(`docker cannot be started: ${error.message}\n`);
if (status === 0) process.stdout.write(name);
process.exit(status ?? 1);
