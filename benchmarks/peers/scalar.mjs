// Scalar's mock server as its guide shows it.

import { readFileSync } from "node:fs";
import { serve } from "@hono/node-server";
import { createMockServer } from "@scalar/mock-server";

const document = readFileSync(process.env.BENCHMARK_DOCUMENT, "utf8");
const app = await createMockServer({ document, logger: false });
serve({ fetch: app.fetch, port: Number(process.env.BENCHMARK_PORT), hostname: "127.0.0.1" });
