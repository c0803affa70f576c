import { NextResponse } from "next/server";
import { forUser, sorry } from "@/lib/answers";
import * as ledger from "@/lib/ledger";
import { readOrder } from "@/lib/order";
import * as studio from "@/lib/studio";

export const POST = forUser(async (user, request) => {
  const order = await readOrder(request);
  if (!order) return sorry(422, "What shall it be?");
  // Made here, and not in the browser: a charge that is repeated is answered as the first was, and pays for one work.
  const generation = `gen_${crypto.randomUUID()}`;
  const { available } = await ledger.charge(user, generation, { type: order.kind, options: order.options });
  const song = await studio.generate(order.prompt).catch((error) => void console.error(generation, error));
  if (song === undefined) {
    const { available } = await ledger.refund(user, generation);
    return sorry(502, "That did not work. Your credits are back.", { credits: available });
  }
  return NextResponse.json({ song, credits: available });
});
