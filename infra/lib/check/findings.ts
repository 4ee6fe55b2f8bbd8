/** All that is wrong with the settings of a target, each with the setting's name. */
export class SettingsError extends Error {
  readonly problems: string[];

  constructor(problems: string[]) {
    super(`${problems.length} setting(s) to mend:\n${problems.map((problem) => `- ${problem}`).join("\n")}`);
    this.name = "SettingsError";
    this.problems = problems;
  }
}

/** Problems as they are found, all of them. */
export class Findings {
  readonly problems: string[] = [];

  constructor(private readonly place: string) {}

  /** Notes a problem of `setting` if there is one. */
  refuse(isWrong: boolean, setting: string, says: string) {
    if (isWrong) this.problems.push(`${this.place}.${setting}: ${says}`);
  }
}

export const shown = (value: unknown) => (value === undefined ? "not set" : JSON.stringify(value));
