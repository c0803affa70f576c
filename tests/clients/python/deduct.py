"""Opens an account, deducts, and is refused what is more than there is, with the generated package."""

import sys

from ledger_client import AuthenticatedClient
from ledger_client.api.accounts import get_balance, open_account
from ledger_client.api.spending import deduct
from ledger_client.models import BalanceResponse, DeductRequest, DeductedResponse, InsufficientCreditsProblem

address, key = sys.argv[1:]
with AuthenticatedClient(base_url=address, token=key) as ledger:
    # The body may be left out.
    opened = open_account.sync("typed", client=ledger)
    before = opened.balance.available

    deducted = deduct.sync_detailed("typed", client=ledger, body=DeductRequest(amount=5), idempotency_key="python-1")
    assert deducted.status_code == 201, deducted
    assert isinstance(deducted.parsed, DeductedResponse), deducted.parsed
    assert deducted.parsed.balance.available == before - 5, deducted.parsed

    refused = deduct.sync("typed", client=ledger, body=DeductRequest(amount=1_000), idempotency_key="python-2")
    assert isinstance(refused, InsufficientCreditsProblem), refused
    assert refused.code == "insufficient_credits"
    assert refused.requested - refused.available == 1_000 - (before - 5), refused

    balance = get_balance.sync("typed", client=ledger)
    assert isinstance(balance, BalanceResponse), balance
    print(balance.available)
