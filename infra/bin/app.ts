import { Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";
import { addStacks, here, newApp } from "../lib/app.ts";
import { settings } from "../settings.ts";
import { orRefused } from "./refused.ts";

const app = newApp();
orRefused(() => addStacks(app, here(), settings, new Date()));
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
