/**
 * The process of the containment gate: loads a product, opens it, writes, reads, stops; tells each step as a line.
 *
 * Arguments: the product's directory, a data directory, the word that begins a line.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createNodeEnv } from "../../kit/env/node-env.ts";
import type { OpenProduct } from "../../kit/product.ts";
import { rowDoor } from "../row-door.ts";

const [productDirectory, dataDirectory, word] = process.argv.slice(2);
const tell = (step: string) => process.stdout.write(`${word} ${step}\n`);

process.on("uncaughtException", (error) => {
  tell(`error ${error.message.split("\n")[0]}`);
  process.exit(1);
});

tell("begun");
const { open } = (await import(pathToFileURL(join(productDirectory, "product.ts")).href)) as { open: OpenProduct };
tell("loaded");
const env = createNodeEnv({ logLevel: "error" });
const product = await open(env, {}, { dataDirectory });
tell("opened");
const door = rowDoor(product, "contained", "statement");
await door.create();
for (let from = 0; from < 400; from += 20) {
  await door.write(Array.from({ length: 20 }, (_, at) => [from + at, "v".repeat(500)]));
}
tell("written");
await product.rewrite();
const rows = await door.readAll();
tell(`read ${rows.length}`);
await product.close();
await env.threads.close();
tell("closed");
