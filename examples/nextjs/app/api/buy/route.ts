import { NextResponse } from "next/server";
import { URL_HERE, forUser } from "@/lib/answers";
import * as ledger from "@/lib/ledger";

export const POST = forUser(async (user, request) => {
  const { searchParams } = request.nextUrl;
  const plan = searchParams.get("plan");
  const goods: ledger.Goods = plan
    ? { plan, interval: "month" }
    : { pack: searchParams.get("pack") ?? "pack_500" };
  const page = await ledger.openCheckout(user, `order_${crypto.randomUUID()}`, goods, URL_HERE);
  return NextResponse.redirect(page, 303);
});
