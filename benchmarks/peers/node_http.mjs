// The bare server: what node:http and JSON cost, and little else. It reads no document, checks
// nothing, and asks for no token.

import { createServer } from "node:http";
import { create, one, page } from "./held.mjs";

function send(response, answer) {
  const body = JSON.stringify(answer ?? null);
  response.writeHead(answer === undefined ? 404 : 200, {
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(body),
  });
  response.end(body);
}

const server = createServer((request, response) => {
  const cut = request.url.indexOf("?");
  const path = cut < 0 ? request.url : request.url.slice(0, cut);
  const [, kind, id, what] = path.split("/");
  if (kind === "workflow-executions") {
    send(response, one(id));
  } else if (kind === "workflows" && what === "executions") {
    const query = new URLSearchParams(cut < 0 ? "" : request.url.slice(cut));
    const limit = Number(query.get("limit"));
    send(response, page(id, limit, Number(query.get("offset") ?? 0), query.get("filters") ?? ""));
  } else if (kind === "workflows" && what === "test") {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (part) => (body += part));
    request.on("end", () => {
      JSON.parse(body);
      send(response, create(id));
    });
  } else {
    send(response, undefined);
  }
});
server.listen(Number(process.env.BENCHMARK_PORT), "127.0.0.1");
