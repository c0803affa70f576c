"""All that this backend asks of Counterfoil, and nothing else."""

import asyncio
import uuid
from typing import Any, TypedDict

import httpx

TRIES = 4
WAIT_S_MAX = 5.0


class Balance(TypedDict):
    available: int
    held: int


class Refused(Exception):
    """Counterfoil has said no, and why: `problem["code"]` is stable, and is what to decide on."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(f"{problem['code']} ({problem.get('request_id')}): {problem['detail']}")
        self.problem = problem


class Unavailable(Exception):
    """No answer after several tries, so whether it was done is not known. It was done at most once."""


class Ledger:
    def __init__(self, url: str, key: str) -> None:
        self._http = httpx.AsyncClient(
            base_url=f"{url}/v1/accounts/", headers={"Authorization": f"Bearer {key}"}, timeout=10
        )

    async def _ask(self, method: str, path: str, body: Any = None, key: str | None = None) -> Any:
        # All tries have the same key, so that they are one request, however many of them arrive.
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        for attempt in range(TRIES):
            wait_s = float(2**attempt) / 4
            try:
                answer = await self._http.request(method, path, json=body, headers=headers)
            except httpx.TransportError:
                pass
            else:
                if answer.is_success:
                    return answer.json()
                if answer.status_code != 503:
                    raise Refused(answer.json())
                wait_s = float(answer.headers.get("Retry-After", wait_s))
            if attempt < TRIES - 1:
                await asyncio.sleep(min(wait_s, WAIT_S_MAX))
        raise Unavailable(f"{method} {path}")

    async def open(self, account: str) -> Balance:
        return (await self._ask("PUT", account))["balance"]

    async def balance(self, account: str) -> Balance:
        return await self._ask("GET", f"{account}/balance")

    async def charge(self, account: str, generation: str, kind: str, options: dict[str, str]) -> Balance:
        """Spends what the catalog says that the work costs. One generation is charged once."""
        order = {"type": kind, "options": options, "generation_id": generation}
        return (await self._ask("POST", f"{account}/generations", order))["balance"]

    async def refund(self, account: str, generation: str) -> Balance:
        order = {"generation_id": generation, "reason": "the generation failed"}
        return (await self._ask("POST", f"{account}/refunds", order, f"refund:{generation}"))["balance"]

    async def hold(self, account: str, generation: str, amount: int, expires_in_s: int) -> str:
        order = {"amount": amount, "generation_id": generation, "expires_in_s": expires_in_s}
        return (await self._ask("POST", f"{account}/holds", order, f"hold:{generation}"))["hold_id"]

    async def commit(self, account: str, hold: str, amount: int) -> Balance:
        path = f"{account}/holds/{hold}/commit"
        return (await self._ask("POST", path, {"amount": amount}, f"commit:{hold}"))["balance"]

    async def release(self, account: str, hold: str) -> Balance:
        path = f"{account}/holds/{hold}/release"
        return (await self._ask("POST", path, key=f"release:{hold}"))["balance"]

    async def open_checkout(self, account: str, order: str, what: dict[str, str], back: str) -> str:
        """Opens a page to pay on. `order` is our own name of the purchase."""
        body = {
            **what,
            "metadata": {"order": order},
            "success_url": f"{back}/?order={order}",
            "cancel_url": back,
        }
        return (await self._ask("POST", f"{account}/checkout-sessions", body, order))["url"]

    async def has_arrived(self, account: str, order: str) -> bool:
        """Whether the purchase was paid, and what it gives is there."""
        now = await self._ask("GET", f"{account}/subscription")
        subscription = now["subscription"]
        if subscription and subscription["metadata"].get("order") == order:
            return subscription["status"] == "trialing" or now["paid_until"] == subscription["period"]["end"]
        payments = (await self._ask("GET", f"{account}/payments"))["payments"]
        paid = {payment["payment"] for payment in payments if payment["metadata"].get("order") == order}
        grants = (await self._ask("GET", f"{account}/grants?limit=1000"))["grants"]
        return any(grant["payment"] in paid for grant in grants)
