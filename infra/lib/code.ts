import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { constants, inflateRawSync } from "node:zlib";
import type { At } from "./at.ts";

/** `e_machine` of an ELF header. */
const MACHINES: Record<number, string> = { 0x3e: "x86_64", 0xb7: "arm64" };

/** Why the binary that is built is not the one that the settings mean; none if it fits, or is not built yet. */
export function codeProblems(built: string, { settings, targetName }: At): string[] {
  const path = join(built, settings.code === "image" ? "bootstrap" : "bootstrap.zip");
  if (!existsSync(path)) return [];
  const file = readFileSync(path);
  const machine = machineOf(settings.code === "image" ? file : bootstrapIn(file));
  if (machine === settings.architecture) return [];
  const has = machine === undefined ? "holds no program of Linux" : `was built for ${machine}`;
  const help = `build it ${settings.architecture === "arm64" ? "with" : "without"} --arm64, or mend the setting`;
  return [`settings.ts ${targetName}.architecture: "${settings.architecture}", and ${path} ${has}; ${help}`];
}

function machineOf(program: Buffer | undefined): string | undefined {
  const isElf = program !== undefined && program.length >= 20 && program.readUInt32BE(0) === 0x7f454c46;
  return isElf ? MACHINES[program.readUInt16LE(18)] : undefined;
}

const END = 0x06054b50;
const ENTRY = 0x02014b50;

/** The first bytes of a zip's `bootstrap`. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT */
function bootstrapIn(zip: Buffer): Buffer | undefined {
  let end = zip.length - 22;
  while (end >= 0 && zip.readUInt32LE(end) !== END) end -= 1;
  if (end < 0) return undefined;
  let at = zip.readUInt32LE(end + 16);
  while (at + 46 <= end && zip.readUInt32LE(at) === ENTRY) {
    const [name, extra, comment] = [28, 30, 32].map((offset) => zip.readUInt16LE(at + offset)) as [
      number,
      number,
      number,
    ];
    if (zip.toString("utf8", at + 46, at + 46 + name) === "bootstrap") {
      return head(zip, zip.readUInt32LE(at + 42), zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 20));
    }
    at += 46 + name + extra + comment;
  }
  return undefined;
}

/** Enough of one file to have its header. */
function head(zip: Buffer, local: number, method: number, size: number): Buffer | undefined {
  const begin = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
  const packed = zip.subarray(begin, begin + Math.min(size, 65_536));
  if (method === 0) return packed;
  return method === 8 ? inflateRawSync(packed, { finishFlush: constants.Z_SYNC_FLUSH }) : undefined;
}
