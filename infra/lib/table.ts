import { readFileSync } from "node:fs";
import ts from "typescript";
import { defaults } from "./settings.ts";

/** The settings as a Markdown table: the comments of lib/settings.ts, and the defaults. */
export function settingsTable(): string {
  const path = new URL("settings.ts", import.meta.url);
  const source = ts.createSourceFile("settings.ts", readFileSync(path, "utf8"), ts.ScriptTarget.ES2022, true);
  const settings = source.statements.filter(ts.isInterfaceDeclaration).find((it) => it.name.text === "Settings")!;
  const rows = settings.members.map((member) => {
    const name = member.name!.getText();
    const [comment] = ts.getJSDocCommentsAndTags(member);
    const says = ts.getTextOfJSDocComment(comment!.comment as string) ?? "";
    return `| \`${name}\` | ${defaultOf(name)} | ${says} |`;
  });
  return ["| setting | default | what it is |", "|---|---|---|", ...rows].join("\n");
}

function defaultOf(name: string): string {
  if (!(name in defaults)) return "none: set it";
  return `\`${JSON.stringify((defaults as Record<string, unknown>)[name])}\``;
}

const BEGIN = "<!-- settings: written by `npm run docs` -->";
const END = "<!-- end of settings -->";

/** The document with the table between its marks. */
export function withTable(document: string): string {
  const [before, rest] = document.split(BEGIN);
  const after = rest?.split(END)[1];
  if (after === undefined) throw new Error(`no \`${BEGIN}\` and \`${END}\` in the document`);
  return `${before}${BEGIN}\n${settingsTable()}\n${END}${after}`;
}
