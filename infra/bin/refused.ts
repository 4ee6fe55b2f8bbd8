import { SettingsError } from "../lib/check/index.ts";

/** Runs a command; what the settings make it refuse is printed as it is, and ends it. */
export function orRefused<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    console.error(error.message);
    process.exit(2);
  }
}

/** The targets that were asked for; refuses those that settings.ts does not have. */
export function targetsNamed(settings: Record<string, unknown>, names: string[]): string[] {
  const known = Object.keys(settings).join(", ");
  const unknown = names.filter((name) => !(name in settings));
  if (unknown.length === 0) return names;
  throw new SettingsError(unknown.map((name) => `settings.ts ${name}: there is no such target; it has ${known}`));
}
