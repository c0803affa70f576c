// What a user asks for. It comes from outside, so it is looked at.

const KINDS = ["standard_generation", "batch_generation", "voice_cloning"];

export type Order = { prompt: string; kind: string; options: Record<string, string> };

export async function readOrder(request: Request): Promise<Order | undefined> {
  const body = await request.json().catch(() => undefined);
  const { prompt, kind = "standard_generation", options = {} } = body ?? {};
  return typeof prompt === "string" && KINDS.includes(kind) ? { prompt, kind, options } : undefined;
}
