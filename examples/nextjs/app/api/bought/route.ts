import { NextResponse } from "next/server";
import { forUser } from "@/lib/answers";
import * as ledger from "@/lib/ledger";

export const GET = forUser(async (user, request) => {
  const order = request.nextUrl.searchParams.get("order") ?? "";
  for (let attempt = 0; attempt < 20; attempt += 1) {
    if (await ledger.hasArrived(user, order)) {
      return NextResponse.json({ arrived: true, credits: (await ledger.balance(user)).available });
    }
    await new Promise((done) => setTimeout(done, 500));
  }
  return NextResponse.json({ arrived: false });
});
