#!/usr/bin/env bash
# Settles what nobody has verified of Stripe, with a test account: docs/STRIPE.md, "Not verified", has the numbers.
#
#   STRIPE_SECRET_KEY=sk_test_… docs/afternoon.sh FOLDER
#
# Everything happens on test clocks, which are deleted at the end. Each answer and each event is kept in FOLDER.
set -euo pipefail

key="${STRIPE_SECRET_KEY:?set STRIPE_SECRET_KEY to a key that begins with sk_test_}"
case "$key" in sk_test_* | rk_test_*) ;; *) echo "This is no test key. Nothing was done." >&2; exit 1 ;; esac
folder="${1:?name a folder for what is recorded}"
base="${STRIPE_API_URL:-https://api.stripe.com}"
version="${STRIPE_API_VERSION:-2026-09-30.endive}"
mkdir -p "$folder"
began=$(date +%s)
clocks=()

# request METHOD PATH NAME [curl arguments]: keeps the answer as NAME.json, and prints it.
request() {
    local method="$1" path="$2" name="$3"
    shift 3
    curl -sS --globoff -X "$method" "$base/v1/$path" -u "$key:" -H "Stripe-Version: $version" "$@" -o "$folder/$name.json"
    cat "$folder/$name.json"
}

# field PATH: a value of the JSON on standard input, such as items.data.0.id.
field() {
    python3 -c '
import json, sys
value = json.load(sys.stdin)
for name in sys.argv[1].split("."):
    value = value[int(name)] if name.isdigit() else value.get(name) if isinstance(value, dict) else None
    if value is None: break
print("" if value is None else value)' "$1"
}

# lines NAME: what a kept invoice says line by line.
lines() {
    python3 - "$folder/$1.json" <<'PYTHON'
import json, sys
invoice = json.load(open(sys.argv[1]))
if "error" in invoice: sys.exit("    refused: " + invoice["error"].get("message", ""))
print(f'    {invoice.get("billing_reason")} {invoice.get("status")} total {invoice.get("total")}')
for line in invoice["lines"]["data"]:
    parent = line.get("parent") or {}
    details = parent.get("invoice_item_details") or parent.get("subscription_item_details") or {}
    credited = (details.get("proration_details") or {}).get("credited_items")
    period = line["period"]
    print(f'    {line["amount"]:>8}  proration {details.get("proration")}  credited {bool(credited)}  '
          f'{period["start"]}…{period["end"]}  discounts {line.get("discount_amounts")}  {line["description"]}')
PYTHON
}

say() { printf '\n%s\n' "$*"; }

# A customer on a clock of its own: sets $clock, $customer and $now.
customer() {
    now=$(date +%s)
    clock=$(request POST test_helpers/test_clocks "clock_$1" -d "frozen_time=$now" -d "name=$1" | field id)
    clocks+=("$clock")
    customer=$(request POST customers "customer_$1" -d "test_clock=$clock" -d "email=$1@example.com" | field id)
    pay_with "${2:-pm_card_visa}" "$1"
}

pay_with() {
    method=$(request POST "payment_methods/$1/attach" "method_$2" -d "customer=$customer" | field id)
    request POST "customers/$customer" "default_$2" -d "invoice_settings[default_payment_method]=$method" >/dev/null
}

advance() {
    now="$1"
    request POST "test_helpers/test_clocks/$clock/advance" "advance_$2" -d "frozen_time=$now" >/dev/null
    for _ in $(seq 120); do
        sleep 2
        [ "$(request GET "test_helpers/test_clocks/$clock" "clock_now_$2" | field status)" = ready ] && return
    done
    echo "The clock does not become ready." >&2
    exit 1
}

price() {
    request POST prices "price_$1" -d "unit_amount=$2" -d currency=usd -d "recurring[interval]=$3" \
        -d "product_data[name]=$1" | field id
}

# subscribe NAME PRICE [arguments]: sets $subscription and $item.
subscribe() {
    local name="$1" of="$2"
    shift 2
    subscription=$(request POST subscriptions "subscription_$name" -d "customer=$customer" -d "items[0][price]=$of" "$@" | field id)
    item=$(field items.data.0.id <"$folder/subscription_$name.json")
}

latest() {
    local invoice
    invoice=$(request GET "subscriptions/$subscription" "after_$1" | field latest_invoice)
    request GET "invoices/$invoice" "invoice_$1" >/dev/null
    lines "invoice_$1"
}

# told NAME: the types of the events of this customer, the oldest first.
told() {
    request GET "events?limit=100&created[gte]=$began" "events_$1" >/dev/null
    python3 - "$folder/events_$1.json" "$customer" <<'PYTHON'
import json, sys
events = [event for event in json.load(open(sys.argv[1]))["data"] if sys.argv[2] in json.dumps(event)]
for event in reversed(events):
    print(f'    {event["created"]} {event["type"]} {sorted((event["data"].get("previous_attributes") or {}))}')
PYTHON
}

cleanup() {
    for clock in "${clocks[@]}"; do
        curl -sS -X DELETE "$base/v1/test_helpers/test_clocks/$clock" -u "$key:" -o /dev/null || true
    done
}
trap cleanup EXIT

basic=$(price Basic 999 month)
creator=$(price Creator 1999 month)
year=$(price CreatorYear 19990 year)
day=86400

for mode in flexible classic; do
    say "1, 2 ($mode): month to year, without and with a new anchor"
    customer "interval_$mode"
    subscribe "interval_$mode" "$creator" -d "billing_mode[type]=$mode"
    advance $((now + 10 * day)) "interval_$mode"
    request POST "subscriptions/$subscription" "changed_interval_$mode" -d "items[0][id]=$item" -d "items[0][price]=$year" \
        -d proration_behavior=always_invoice >/dev/null
    latest "interval_$mode"
    request POST "subscriptions/$subscription" "changed_anchor_$mode" \
        -d "billing_cycle_anchor[type]=now" -d proration_behavior=always_invoice >/dev/null || true
    latest "anchor_$mode"
    told "interval_$mode"

    say "2 ($mode): a stub until the anchor"
    customer "stub_$mode"
    subscribe "stub_$mode" "$creator" -d "billing_mode[type]=$mode" -d "billing_cycle_anchor=$((now + 3 * day))"
    latest "stub_$mode"

    say "3 ($mode): a change inside of a trial, and a trial that ends early"
    customer "trial_$mode"
    subscribe "trial_$mode" "$creator" -d "billing_mode[type]=$mode" -d trial_period_days=14
    latest "trial_begun_$mode"
    advance $((now + 2 * day)) "trial_$mode"
    request POST "subscriptions/$subscription" "changed_trial_$mode" -d "items[0][id]=$item" -d "items[0][price]=$basic" \
        -d proration_behavior=always_invoice >/dev/null
    latest "trial_changed_$mode"
    request POST "subscriptions/$subscription" "ended_trial_$mode" -d trial_end=now >/dev/null
    latest "trial_ended_$mode"
    told "trial_$mode"

    say "4 ($mode): cancelled now with its money, and what waits when it is cancelled"
    customer "cancel_$mode"
    subscribe "cancel_$mode" "$creator" -d "billing_mode[type]=$mode"
    advance $((now + 10 * day)) "cancel_$mode"
    request DELETE "subscriptions/$subscription" "cancelled_$mode" -d prorate=true -d invoice_now=true >/dev/null
    latest "cancel_$mode"
    told "cancel_$mode"
    customer "waits_$mode"
    subscribe "waits_$mode" "$basic" -d "billing_mode[type]=$mode"
    advance $((now + 10 * day)) "waits_$mode"
    request POST "subscriptions/$subscription" "changed_waits_$mode" -d "items[0][id]=$item" -d "items[0][price]=$creator" >/dev/null
    request DELETE "subscriptions/$subscription" "cancelled_waits_$mode" >/dev/null
    advance $((now + 25 * day)) "waited_$mode"
    latest "waits_$mode"
    told "waits_$mode"

    say "an end inside of the period ($mode), and one that is put off"
    customer "end_$mode"
    subscribe "end_$mode" "$creator" -d "billing_mode[type]=$mode"
    request POST "subscriptions/$subscription" "ends_$mode" -d "cancel_at=$((now + 10 * day))" -d proration_behavior=always_invoice >/dev/null
    latest "end_$mode"
    request POST "subscriptions/$subscription" "goes_on_$mode" -d "cancel_at=" -d proration_behavior=always_invoice >/dev/null
    latest "put_off_$mode"

    say "more seats ($mode), then fewer: how many credits?"
    customer "seats_$mode"
    subscribe "seats_$mode" "$basic" -d "items[0][quantity]=5" -d "billing_mode[type]=$mode"
    advance $((now + 5 * day)) "seats_$mode"
    request POST "subscriptions/$subscription" "more_$mode" -d "items[0][id]=$item" -d "items[0][quantity]=8" -d proration_behavior=always_invoice >/dev/null
    latest "more_$mode"
    request POST "subscriptions/$subscription" "other_$mode" -d "items[0][id]=$item" -d "items[0][price]=$creator" -d proration_behavior=always_invoice >/dev/null
    latest "seats_$mode"
done

say "4, 14: a pause with its money, and a resumption"
customer pause
subscribe pause "$creator" -d "billing_mode[type]=flexible"
advance $((now + 10 * day)) pause
request POST "subscriptions/$subscription/pause" paused -d invoicing_behavior=invoice >/dev/null
latest pause
advance $((now + 10 * day)) resume
request POST "subscriptions/$subscription/resume" resumed -d "billing_cycle_anchor[type]=now" >/dev/null
latest resume
told pause

say "5: a prevented dispute cannot be made by API. In the dashboard, enrol the test account in dispute prevention, pay with"
say "   4000000000000259, and look at what this keeps:"
request GET "disputes?limit=20&expand[]=data.charge" disputes >/dev/null
request GET "events?limit=100&type=charge.dispute.*" events_disputes >/dev/null

say "6: a phase that changes the plan"
customer schedule
subscribe schedule "$creator"
end=$(field items.data.0.current_period_end <"$folder/subscription_schedule.json")
start=$(field items.data.0.current_period_start <"$folder/subscription_schedule.json")
schedule=$(request POST subscription_schedules schedule -d "from_subscription=$subscription" | field id)
request POST "subscription_schedules/$schedule" scheduled -d "phases[0][items][0][price]=$creator" -d "phases[0][start_date]=$start" \
    -d "phases[0][end_date]=$end" -d "phases[1][items][0][price]=$basic" -d proration_behavior=none >/dev/null
advance $((end + 2 * 3600)) schedule
latest schedule
echo "    item before $item, after $(field items.data.0.id <"$folder/after_schedule.json")"
echo "    schedule: $(request GET "subscription_schedules/$schedule" schedule_after | field status)"
told schedule

say "3, 7, 11: the portal. Open each address, change the plan, and run the script's last part again with PORTAL=1"
for case in downgrade trial fails; do
    customer "portal_$case"
    arguments=()
    [ "$case" = trial ] && arguments=(-d trial_period_days=14)
    subscribe "portal_$case" "$creator" "${arguments[@]}"
    [ "$case" = fails ] && pay_with pm_card_chargeCustomerFail "portal_fails_card"
    request POST billing_portal/configurations "configuration_$case" -d "features[subscription_update][enabled]=true" \
        -d "features[subscription_update][default_allowed_updates][0]=price" \
        -d "features[subscription_update][proration_behavior]=always_invoice" \
        -d "features[subscription_update][schedule_at_period_end][conditions][0][type]=decreasing_item_amount" \
        -d "features[subscription_update][products][0][product]=$(field product <"$folder/price_Basic.json")" \
        -d "features[subscription_update][products][0][prices][0]=$basic" \
        -d "features[subscription_update][products][1][product]=$(field product <"$folder/price_Creator.json")" \
        -d "features[subscription_update][products][1][prices][0]=$creator" >/dev/null
    configuration=$(field id <"$folder/configuration_$case.json")
    echo "    $case: $(request POST billing_portal/sessions "portal_$case" -d "customer=$customer" -d "configuration=$configuration" | field url)"
    if [ -n "${PORTAL:-}" ]; then
        read -r -p "    Change the plan there, then press return. " _
        latest "portal_$case"
        told "portal_$case"
    fi
done

say "8: a first payment by bank debit"
for bank in pm_usBankAccount_success pm_usBankAccount_insufficientFunds; do
    customer "debit_$bank" "$bank"
    subscribe "debit_$bank" "$creator" -d "payment_settings[payment_method_types][0]=us_bank_account"
    echo "    $bank: $(field status <"$folder/subscription_debit_$bank.json") at once"
    advance $((now + 8 * day)) "debit_$bank"
    latest "debit_$bank"
    told "debit_$bank"
done

say "9: what an event's created says under a test clock: compare the seconds above with $began, when this began"

say "10: discounts on credits, itemised"
coupon=$(request POST coupons coupon -d percent_off=50 -d duration=forever | field id)
customer itemised
subscribe itemised "$creator" -d "discounts[0][coupon]=$coupon" -d "billing_mode[type]=flexible" -d "billing_mode[flexible][proration_discounts]=itemized"
advance $((now + 10 * day)) itemised
request POST "subscriptions/$subscription" changed_itemised -d "items[0][id]=$item" -d "items[0][price]=$basic" -d proration_behavior=always_invoice >/dev/null
latest itemised

say "12: leave an endpoint without an answer to invoice.created, and look at automatically_finalizes_at of the next draft"

say "13: an upgrade that is not paid, and what becomes of it in thirty days"
customer unpaid
subscribe unpaid "$basic"
pay_with pm_card_chargeCustomerFail unpaid_card
request POST "subscriptions/$subscription" changed_unpaid -d "items[0][id]=$item" -d "items[0][price]=$creator" -d proration_behavior=always_invoice >/dev/null
latest unpaid
advance $((now + 26 * day)) unpaid
latest unpaid_later
told unpaid

say "15: a payment outside of Stripe"
customer outside
subscribe outside "$creator" -d payment_behavior=default_incomplete
invoice=$(field latest_invoice <"$folder/subscription_outside.json")
request POST "invoices/$invoice/pay" paid_outside -d paid_out_of_band=true >/dev/null
request GET "invoices/$invoice?expand[]=payments" invoice_outside >/dev/null
request GET "invoice_payments?invoice=$invoice" payments_outside >/dev/null
python3 -m json.tool "$folder/payments_outside.json"
told outside

say "16: not asked here. Everything is in $folder."
