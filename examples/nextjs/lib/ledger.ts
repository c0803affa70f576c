// All that this backend asks of Counterfoil, and nothing else. The key stays on the server.

import "server-only";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

type Schemas = components["schemas"];
export type Balance = Schemas["Balance"];

const TRIES = 4;
const WAIT_MS_MAX = 5_000;

/** Counterfoil has said no, and why: `problem.code` is stable, and is what to decide on. */
export class Refused extends Error {
  constructor(readonly problem: Schemas["Problem"]) {
    super(`${problem.code} (${problem.request_id}): ${problem.detail}`);
  }
}

/** No answer after several tries, so whether it was done is not known. It was done at most once. */
export class Unavailable extends Error {}

/** All tries have the same idempotency key, so that they are one request, however many of them arrive. */
async function patiently(request: Request): Promise<Response> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    let waitMs = 2 ** attempt * 250;
    const answer = await fetch(request.clone()).catch(() => undefined);
    if (answer && answer.status !== 503) return answer;
    const asked = answer?.headers.get("Retry-After");
    if (asked) waitMs = Number(asked) * 1_000;
    if (attempt < TRIES - 1) await new Promise((done) => setTimeout(done, Math.min(waitMs, WAIT_MS_MAX)));
  }
  throw new Unavailable(`${request.method} ${request.url}`);
}

const ledger = createClient<paths>({
  baseUrl: process.env.LEDGER_URL ?? "http://127.0.0.1:8080",
  headers: { Authorization: `Bearer ${process.env.LEDGER_KEY}` },
  cache: "no-store",
  fetch: patiently,
});

function answered<Data>(answer: { data?: Data; error?: Schemas["Problem"] }): Data {
  if (answer.error) throw new Refused(answer.error);
  return answer.data as Data;
}

export async function open(account: string): Promise<Balance> {
  return answered(await ledger.PUT("/v1/accounts/{account}", { params: { path: { account } } })).balance;
}

export async function balance(account: string): Promise<Schemas["BalanceResponse"]> {
  return answered(await ledger.GET("/v1/accounts/{account}/balance", { params: { path: { account } } }));
}

/** Spends what the catalog says that the work costs. One generation is charged once. */
export async function charge(account: string, generation_id: string, order: Omit<Schemas["GenerationRequest"], "hold">) {
  const answer = await ledger.POST("/v1/accounts/{account}/generations", {
    params: { path: { account } },
    body: { ...order, generation_id },
  });
  return answered(answer).balance;
}

export async function refund(account: string, generation_id: string): Promise<Balance> {
  const answer = await ledger.POST("/v1/accounts/{account}/refunds", {
    params: { path: { account }, header: { "Idempotency-Key": `refund:${generation_id}` } },
    body: { generation_id, reason: "the generation failed" },
  });
  return answered(answer).balance;
}

export async function hold(account: string, generation_id: string, amount: number, expires_in_s: number) {
  const answer = await ledger.POST("/v1/accounts/{account}/holds", {
    params: { path: { account }, header: { "Idempotency-Key": `hold:${generation_id}` } },
    body: { amount, generation_id, expires_in_s },
  });
  return answered(answer).hold_id;
}

export async function commit(account: string, hold: string, amount: number): Promise<Balance> {
  const answer = await ledger.POST("/v1/accounts/{account}/holds/{hold}/commit", {
    params: { path: { account, hold }, header: { "Idempotency-Key": `commit:${hold}` } },
    body: { amount },
  });
  return answered(answer).balance;
}

export async function release(account: string, hold: string): Promise<Balance> {
  const answer = await ledger.POST("/v1/accounts/{account}/holds/{hold}/release", {
    params: { path: { account, hold }, header: { "Idempotency-Key": `release:${hold}` } },
  });
  return answered(answer).balance;
}

/** What is bought: a plan by the month, or a pack. */
export type Goods = { plan: string; interval: "month" } | { pack: string };

/** Opens a page to pay on. `order` is our own name of the purchase. */
export async function openCheckout(account: string, order: string, goods: Goods, back: string): Promise<string> {
  const answer = await ledger.POST("/v1/accounts/{account}/checkout-sessions", {
    params: { path: { account }, header: { "Idempotency-Key": order } },
    body: { ...goods, metadata: { order }, success_url: `${back}/?order=${order}`, cancel_url: back },
  });
  return answered(answer).url;
}

/** Whether the purchase was paid, and what it gives is there. */
export async function hasArrived(account: string, order: string): Promise<boolean> {
  const params = { path: { account } };
  const now = answered(await ledger.GET("/v1/accounts/{account}/subscription", { params }));
  const { subscription } = now;
  if (subscription && subscription.metadata.order === order) {
    return subscription.status === "trialing" || now.paid_until === subscription.period.end;
  }
  const { payments } = answered(await ledger.GET("/v1/accounts/{account}/payments", { params }));
  const paid = payments.filter((payment) => payment.metadata.order === order).map(({ payment }) => payment);
  const every = { params: { ...params, query: { limit: 1_000 } } };
  const { grants } = answered(await ledger.GET("/v1/accounts/{account}/grants", every));
  return grants.some(({ payment }) => payment && paid.includes(payment));
}
