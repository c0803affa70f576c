import { NextResponse } from "next/server";
import { forUser, sorry } from "@/lib/answers";
import * as ledger from "@/lib/ledger";
import { readOrder } from "@/lib/order";
import * as studio from "@/lib/studio";

const SECONDS_MAX = 40;
const HOLD_S = 600;

export const POST = forUser(async (user, request) => {
  const order = await readOrder(request);
  if (!order) return sorry(422, "What shall it be?");
  const generation = `gen_${crypto.randomUUID()}`;
  const hold = await ledger.hold(user, generation, SECONDS_MAX, HOLD_S);
  const work = await studio.render(order.prompt).catch((error) => void console.error(generation, error));
  if (work === undefined) {
    const { available } = await ledger.release(user, hold);
    return sorry(502, "That did not work. Nothing was spent.", { credits: available });
  }
  const { available } = await ledger.commit(user, hold, Math.min(work.seconds, SECONDS_MAX));
  return NextResponse.json({ song: work.song, credits: available });
});
