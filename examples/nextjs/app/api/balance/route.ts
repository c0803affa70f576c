import { NextResponse } from "next/server";
import { forUser } from "@/lib/answers";
import * as ledger from "@/lib/ledger";

export const GET = forUser(async (user) => {
  const { available, held } = await ledger.balance(user);
  return NextResponse.json({ credits: available, held });
});
