/**
 * The source that products are cut from: `kit/` and `parts/` of the library, and beside them parts of the user's own
 * directories, as if all of it were one tree.
 *
 * A folder of a part belongs to that part alone: where a user's part stands at the path of one of the library, nothing
 * of the library's folder is seen. What lies in no part's folder (ports, modules that parts share) is the library's
 * first, so no directory can put another port under a part that relies on it.
 */
import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { join, sep } from "node:path";
import { LatheError } from "../kit/errors.ts";

export interface SourceTree {
  /** Undefined where there is no such file. Paths are relative to the source root, with `/`. */
  read(path: string): string | undefined;
  /** Names of files directly in a folder, sorted. */
  list(folder: string): string[];
}

export function directoryTree(root: string): SourceTree {
  return {
    read: (path) => readIfThere(join(root, path)),
    list: (folder) => namesIn(join(root, folder)),
  };
}

/** A part's folder below `parts`, and the directory of parts that it comes from; the library's where undefined. */
interface Owner {
  readonly path: string;
  readonly origin?: string | undefined;
}

export function layeredTree(root: string, owners: readonly Owner[]): SourceTree {
  const library = directoryTree(root);
  const origins = [...new Set(owners.flatMap(({ origin }) => (origin === undefined ? [] : [origin])))];
  const byLength = [...owners].sort((one, other) => other.path.length - one.path.length);
  const ownerOf = (path: string) => byLength.find((one) => path.startsWith(`parts/${one.path}/`));
  const inside = (origin: string, path: string) => {
    const file = join(origin, path.slice("parts/".length));
    refuseLinkOut(origin, file);
    return file;
  };
  return {
    read(path) {
      const owner = ownerOf(path);
      if (owner !== undefined) {
        return owner.origin === undefined ? library.read(path) : readIfThere(inside(owner.origin, path));
      }
      const own = library.read(path);
      if (own !== undefined || !path.startsWith("parts/")) return own;
      return origins.map((origin) => readIfThere(inside(origin, path))).find((text) => text !== undefined);
    },
    list(folder) {
      const origin = ownerOf(`${folder}/`)?.origin;
      return origin === undefined ? library.list(folder) : namesIn(inside(origin, folder));
    },
  };
}

/** What a product is made of lies where it is said to lie: a link could bring in anything of its user's. */
function refuseLinkOut(origin: string, file: string): void {
  if (!existsSync(file)) return;
  const [root, real] = [origin, file].map((path) => realpathSync(path));
  if (real === root || real.startsWith(`${root}${sep}`)) return;
  const message = `${file} is a link out of ${origin}, to ${real}; put a copy in its place`;
  throw new LatheError("INVALID_ARGUMENT", message, { details: { file, leadsTo: real } });
}

function readIfThere(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

function namesIn(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory).sort() : [];
}
