/**
 * The typed client in use: counts visits under a condition, so that no visit is lost between concurrent counters.
 *
 *     lathe build examples/sndv-kv/contract.yaml --out sndv-kv && lathe serve sndv-kv --http-port 8080
 *     node examples/sndv-kv/client.ts ./sndv-kv http://127.0.0.1:8080
 */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [product = "./sndv-kv", url = "http://127.0.0.1:8080"] = process.argv.slice(2);
const { SndvKvClient } = await import(pathToFileURL(resolve(product, "client.ts")).href);
const store = new SndvKvClient({ url });

async function visit(page: string): Promise<number> {
  for (;;) {
    const found = await store.get(page);
    const count = found === undefined ? 1 : Number(found.text()) + 1;
    try {
      await store.put(page, String(count), found === undefined ? { ifAbsent: true } : { ifMatch: found.etag });
      return count;
    } catch (error) {
      // Somebody else counted in between: look again.
      if ((error as { conditionFailed?: boolean }).conditionFailed !== true) throw error;
    }
  }
}

await Promise.all(Array.from({ length: 20 }, () => visit("visits/home")));
for await (const item of store.scan({ prefix: "visits/" })) console.log(Buffer.from(item.key).toString(), item.text());
