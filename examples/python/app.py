"""A backend that sells songs for credits."""

import asyncio
import logging
import os
import uuid
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import Cookie, Depends, FastAPI, HTTPException, Request
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse, Response
from pydantic import BaseModel

import studio
from ledger import Ledger, Refused, Unavailable

URL = os.environ.get("APP_URL", "http://127.0.0.1:8000")
SECONDS_MAX = 40
HOLD_S = 600

ledger = Ledger(os.environ.get("LEDGER_URL", "http://127.0.0.1:8080"), os.environ["LEDGER_KEY"])
app = FastAPI()

# There is no log-in here: a random name in a cookie is the user. Take yours from your session instead, never from the
# request's address or body, since whoever names an account spends its credits.
async def signed_in(user: Annotated[str | None, Cookie()] = None) -> str:
    if user is None:
        raise HTTPException(401, "Sign up first.")
    return user


User = Annotated[str, Depends(signed_in)]


class Order(BaseModel):
    prompt: str
    kind: Literal["standard_generation", "batch_generation", "voice_cloning"] = "standard_generation"
    options: dict[str, str] = {}


@app.get("/")
def page() -> FileResponse:
    return FileResponse(Path(__file__).with_name("index.html"))


@app.post("/api/sign-up", status_code=201)
async def sign_up(response: Response) -> dict[str, Any]:
    user = f"user_{uuid.uuid4().hex}"
    balance = await ledger.open(user)
    response.set_cookie("user", user, httponly=True, samesite="lax", secure=URL.startswith("https"))
    return {"credits": balance["available"]}


@app.get("/api/balance")
async def balance(user: User) -> dict[str, Any]:
    balance = await ledger.balance(user)
    return {"credits": balance["available"], "held": balance["held"]}


@app.post("/api/generate")
async def generate(order: Order, user: User) -> Any:
    # Made here, and not in the browser: a charge that is repeated is answered as the first was, and pays for one work.
    generation = f"gen_{uuid.uuid4().hex}"
    balance = await ledger.charge(user, generation, order.kind, order.options)
    try:
        song = await studio.generate(order.prompt)
    except Exception:
        logging.exception("%s", generation)
        balance = await ledger.refund(user, generation)
        return sorry(502, "That did not work. Your credits are back.", credits=balance["available"])
    return {"song": song, "credits": balance["available"]}


@app.post("/api/render")
async def render(order: Order, user: User) -> Any:
    generation = f"gen_{uuid.uuid4().hex}"
    hold = await ledger.hold(user, generation, SECONDS_MAX, HOLD_S)
    try:
        song, seconds = await studio.render(order.prompt)
    except Exception:
        logging.exception("%s", generation)
        balance = await ledger.release(user, hold)
        return sorry(502, "That did not work. Nothing was spent.", credits=balance["available"])
    balance = await ledger.commit(user, hold, min(seconds, SECONDS_MAX))
    return {"song": song, "credits": balance["available"]}


@app.post("/api/buy")
async def buy(user: User, pack: str | None = None, plan: str | None = None) -> RedirectResponse:
    what = {"plan": plan, "interval": "month"} if plan else {"pack": pack or "pack_500"}
    page = await ledger.open_checkout(user, f"order_{uuid.uuid4().hex}", what, URL)
    return RedirectResponse(page, status_code=303)


@app.get("/api/bought")
async def bought(user: User, order: str) -> dict[str, Any]:
    for _ in range(20):
        if await ledger.has_arrived(user, order):
            return {"arrived": True, "credits": (await ledger.balance(user))["available"]}
        await asyncio.sleep(0.5)
    return {"arrived": False}


def sorry(status: int, message: str, **more: Any) -> JSONResponse:
    return JSONResponse({"message": message, **more}, status_code=status)


@app.exception_handler(Refused)
async def refused(request: Request, refusal: Refused) -> JSONResponse:
    problem = refusal.problem
    match problem["code"]:
        case "insufficient_credits":
            message = f"This takes {problem['requested']} credits, and you have {problem['available']}."
            return sorry(402, message, pack="pack_500", plan=problem["upgrade"])
        case "feature_not_in_plan":
            return sorry(403, "Your plan does not have this.", plan=next(iter(problem["plans"]), None))
        case "limit_reached":
            message = f"That was your last one until {problem['resets_at']}."
            return sorry(429, message, plan=next(iter(problem["plans"]), None))
        case "subscription_active":
            return sorry(409, "You have a plan already.")
    # All others are our own mistakes, or the operator's: nothing that a user could do about them.
    logging.error("%s", refusal)
    return sorry(500, "Something went wrong here. We look into it.")


@app.exception_handler(Unavailable)
async def unavailable(request: Request, outage: Unavailable) -> JSONResponse:
    logging.error("no answer: %s", outage)
    return sorry(503, "We cannot do this right now. Try again in a minute.")
