// openapi-backend on fastify as its guide shows it, with handlers written by hand.

import { OpenAPIBackend } from "openapi-backend";
import fastify from "fastify";
import { create, one, page } from "./held.mjs";

const invalid = (context, request, reply) =>
  reply.code(400).send({ title: "invalid", errors: context.validation.errors });
const unauthorized = (context, request, reply) => reply.code(401).send({ title: "no token" });
const notFound = (context, request, reply) => reply.code(404).send({ title: "not found" });

const api = new OpenAPIBackend({
  definition: process.env.BENCHMARK_DOCUMENT,
  ajvOpts: { strict: false, formats: { int32: true, "date-time": true } },
  handlers: {
    getWorkflowExecution: (context, request, reply) =>
      reply.send(one(context.request.params.id) ?? null),
    getWorkflowExecutions: (context, request, reply) => {
      const { limit, offset, filters } = context.request.query;
      const found = page(context.request.params.id, Number(limit), Number(offset ?? 0), filters);
      return reply.send(found);
    },
    testWorkflow: (context, request, reply) => reply.send(create(context.request.params.id)),
    validationFail: invalid,
    unauthorizedHandler: unauthorized,
    notFound,
    notImplemented: (context, request, reply) => {
      const { status, mock } = api.mockResponseForOperation(context.operation.operationId);
      return reply.code(status).send(mock);
    },
  },
});
api.registerSecurityHandler("token", (context) => {
  const value = context.request.headers.authorization ?? "";
  return value.startsWith("Bearer ");
});
await api.init();

const app = fastify();
app.route({
  method: ["GET", "POST", "PUT", "PATCH", "DELETE"],
  url: "/*",
  handler: (request, reply) =>
    api.handleRequest(
      {
        method: request.method,
        path: request.url.split("?")[0],
        body: request.body,
        query: request.query,
        headers: request.headers,
      },
      request,
      reply,
    ),
});
await app.listen({ port: Number(process.env.BENCHMARK_PORT), host: "127.0.0.1" });
