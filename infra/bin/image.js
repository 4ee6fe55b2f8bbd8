// Builds the function's image and prints its name; runs when the image is uploaded.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const built = process.argv[2];
if (!existsSync(join(built, "bootstrap"))) {
  process.stderr.write(`no ${join(built, "bootstrap")}; build it with \`cargo lambda build\` as docs/deploy.md says\n`);
  process.exit(1);
}
const dockerfile = fileURLToPath(new URL("../Dockerfile", import.meta.url));
const name = "crawlguard-lambda:deploy";
const { status } = spawnSync("docker", ["build", "--file", dockerfile, "--tag", name, built], {
  stdio: ["ignore", 2, 2],
});
if (status === 0) process.stdout.write(name);
process.exit(status ?? 1);
