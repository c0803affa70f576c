// Opens an account, deducts, and is refused what is more than there is. Every type is generated from the document.

import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

const [address, key] = process.argv.slice(2);
assert(address && key, "usage: deduct ADDRESS KEY");
const ledger = createClient<paths>({ baseUrl: address, headers: { Authorization: `Bearer ${key}` } });
const of = { account: "typed" };

// The body may be left out.
const opened = await ledger.PUT("/v1/accounts/{account}", { params: { path: of } });
assert(opened.data, JSON.stringify(opened.error));
const before: components["schemas"]["Balance"] = opened.data.balance;

const deducted = await ledger.POST("/v1/accounts/{account}/deductions", {
    params: { path: of, header: { "Idempotency-Key": "typescript-1" } },
    body: { amount: 5 },
});
assert.equal(deducted.response.status, 201);
assert(deducted.data, JSON.stringify(deducted.error));
assert.equal(deducted.data.balance.available, before.available - 5);

const refused = await ledger.POST("/v1/accounts/{account}/deductions", {
    params: { path: of, header: { "Idempotency-Key": "typescript-2" } },
    body: { amount: 1_000 },
});
assert.equal(refused.response.status, 402);
assert(refused.error && "upgrade" in refused.error);
// The compiler knows which problem it is, and its members.
const problem: components["schemas"]["InsufficientCreditsProblem"] = refused.error;
assert.equal(problem.code, "insufficient_credits");
assert.equal(problem.requested - problem.available, 1_000 - deducted.data.balance.available);

// @ts-expect-error An amount is a number.
const wrong: components["schemas"]["DeductRequest"] = { amount: "5" };
console.log(wrong.amount, deducted.data.balance.available);
