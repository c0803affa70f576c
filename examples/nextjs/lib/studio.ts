// Stands for the model: it makes up songs, and breaks down when it is asked for silence.

export class Failed extends Error {}

export async function generate(prompt: string): Promise<string> {
  if (prompt.includes("silence")) throw new Failed("the model made no sound");
  return `a song of ${prompt}`;
}

/** A long song, and how many seconds it has become: four a word. */
export async function render(prompt: string): Promise<{ song: string; seconds: number }> {
  return { song: await generate(prompt), seconds: 4 * prompt.trim().split(/\s+/).length };
}
