import { Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";
import { addStacks, here, newApp } from "../lib/app.ts";
import { SettingsError } from "../lib/check/index.ts";
import { settings } from "../settings.ts";

const app = newApp();
try {
  addStacks(app, here(), settings, new Date());
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  console.error(error.message);
  process.exit(2);
}
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
