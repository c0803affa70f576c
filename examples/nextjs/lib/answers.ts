// What a user is told, and which user it is.

import "server-only";
import { type NextRequest, NextResponse } from "next/server";
import { Refused, Unavailable } from "./ledger";
import type { components } from "./schema";

export const URL_HERE = process.env.APP_URL ?? "http://localhost:3000";

type Schemas = components["schemas"];
/** What a user can do something about. */
type Known =
  | Schemas["InsufficientCreditsProblem"]
  | Schemas["FeatureNotInPlanProblem"]
  | Schemas["LimitReachedProblem"]
  | Schemas["SubscriptionActiveProblem"];

export function sorry(status: number, message: string, more: object = {}): Response {
  return NextResponse.json({ message, ...more }, { status });
}

function refused(refusal: Refused): Response {
  const problem = refusal.problem as Known;
  switch (problem.code) {
    case "insufficient_credits": {
      const message = `This takes ${problem.requested} credits, and you have ${problem.available}.`;
      return sorry(402, message, { pack: "pack_500", plan: problem.upgrade });
    }
    case "feature_not_in_plan":
      return sorry(403, "Your plan does not have this.", { plan: problem.plans[0] });
    case "limit_reached":
      return sorry(429, `That was your last one until ${problem.resets_at}.`, { plan: problem.plans[0] });
    case "subscription_active":
      return sorry(409, "You have a plan already.");
    default:
      // All others are our own mistakes, or the operator's: nothing that a user could do about them.
      console.error(refusal);
      return sorry(500, "Something went wrong here. We look into it.");
  }
}

// There is no log-in here: a random name in a cookie is the user. Take yours from your session instead, never from the
// request's address or body, since whoever names an account spends its credits.
export function forUser(work: (user: string, request: NextRequest) => Promise<Response>) {
  return async (request: NextRequest): Promise<Response> => {
    const user = request.cookies.get("user")?.value;
    return user ? answering(() => work(user, request)) : sorry(401, "Sign up first.");
  };
}

export async function answering(work: () => Promise<Response>): Promise<Response> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refused) return refused(error);
    if (!(error instanceof Unavailable)) throw error;
    console.error(error);
    return sorry(503, "We cannot do this right now. Try again in a minute.");
  }
}
