// What the Node peers hold and give: executions in memory, and nothing of how they are served.

import { readFileSync } from "node:fs";

const byId = new Map();
const byWorkflow = new Map();
let number = 0;

function add(execution) {
  byId.set(execution.id, execution);
  if (!byWorkflow.has(execution.workflowId)) byWorkflow.set(execution.workflowId, []);
  byWorkflow.get(execution.workflowId).push(execution);
}

for (const execution of JSON.parse(readFileSync(process.env.BENCHMARK_HELD, "utf8"))) add(execution);

export function one(id) {
  return byId.get(id);
}

// A page, newest first; the one filter known is `status eq "…"`.
export function page(workflow, limit, offset, filters) {
  const all = byWorkflow.get(workflow) ?? [];
  const status = filters ? filters.slice('status eq "'.length, -1) : "";
  const chosen = [];
  let skipped = 0;
  for (let at = all.length - 1; at >= 0 && chosen.length < limit; at--) {
    if (status && all[at].status !== status) continue;
    if (skipped++ < offset) continue;
    chosen.push(all[at]);
  }
  return chosen;
}

export function create(workflow) {
  number += 1;
  const id = `${number.toString(16).padStart(8, "0")}-0000-4000-8000-000000000000`;
  const requestId = number.toString(16).padStart(32, "0");
  const startTime = "2022-02-07T20:13:29.356648026Z";
  add({ id, workflowId: workflow, requestId, startTime, status: "Executing" });
  return { workflowExecutionId: id };
}
