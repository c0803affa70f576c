"""Stands for the model: it makes up songs, and breaks down when it is asked for silence."""


class Failed(Exception):
    """The work was not done."""


async def generate(prompt: str) -> str:
    if "silence" in prompt:
        raise Failed("the model made no sound")
    return f"a song of {prompt}"


async def render(prompt: str) -> tuple[str, int]:
    """A long song, and how many seconds it has become: four a word."""
    return await generate(prompt), 4 * len(prompt.split())
