import { NextResponse } from "next/server";
import { URL_HERE, answering } from "@/lib/answers";
import * as ledger from "@/lib/ledger";

export const POST = () =>
  answering(async () => {
    const user = `user_${crypto.randomUUID()}`;
    const { available } = await ledger.open(user);
    const answer = NextResponse.json({ credits: available }, { status: 201 });
    answer.cookies.set("user", user, { httpOnly: true, sameSite: "lax", secure: URL_HERE.startsWith("https") });
    return answer;
  });
