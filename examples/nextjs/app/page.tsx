"use client";

import { useEffect, useState } from "react";

type Said = { credits?: number; song?: string; message?: string; plan?: string | null; arrived?: boolean };

async function post(address: string, body: object = {}): Promise<Said> {
  const headers = { "Content-Type": "application/json" };
  return (await fetch(address, { method: "POST", headers, body: JSON.stringify(body) })).json();
}

/** What is there when the page opens: a purchase that has just been paid, a balance, or nobody yet. */
async function begin(): Promise<Said> {
  const order = new URLSearchParams(location.search).get("order");
  return (await fetch(order ? `/api/bought?order=${order}` : "/api/balance")).json();
}

export default function Page() {
  const [prompt, setPrompt] = useState("rain on a tin roof");
  const [credits, setCredits] = useState<number>();
  const [said, setSaid] = useState<Said>({});
  const show = (news: Said) => {
    setSaid(news);
    if (news.credits !== undefined) setCredits(news.credits);
  };
  useEffect(() => void begin().then(show), []);

  return (
    <main>
      <h1>Songs</h1>
      <p>
        Credits: <b>{credits ?? "–"}</b>{" "}
        {credits === undefined && <button onClick={() => post("/api/sign-up").then(show)}>Sign up</button>}
      </p>
      <input value={prompt} onChange={(event) => setPrompt(event.target.value)} />
      <button onClick={() => post("/api/generate", { prompt }).then(show)}>Generate, 5 credits</button>
      <button onClick={() => post("/api/render", { prompt }).then(show)}>Render, a credit a second</button>
      <button onClick={() => post("/api/generate", { prompt, kind: "batch_generation" }).then(show)}>
        An album, 25 credits
      </button>
      <p>{said.song ?? said.message ?? (said.arrived === false ? "Your payment is on its way." : "")}</p>
      <form method="post" action="/api/buy?pack=pack_500">
        <button>Buy 500 credits</button>
      </form>
      {said.plan && (
        <form method="post" action={`/api/buy?plan=${said.plan}`}>
          <button>Upgrade</button>
        </form>
      )}
    </main>
  );
}
