"""The table of wishes to be shown a bill, and the SQL about it."""

from __future__ import annotations

from hansa.federation.shelf import BillRequest, Page
from hansa.federation.wire import parse, render
from hansa.foundation.database import run, some_rows
from hansa.foundation.ids import BillRequestId, PartyId
from hansa.foundation.transaction import Transaction


def add_request(tx: Transaction, request: BillRequest) -> None:
    run(
        tx,
        "insert into billing_request (id, buyer, asked_at, bill, extra) values (%s,%s,%s,%s,%s)",
        (
            request.id,
            request.buyer,
            request.asked_at,
            request.bill,
            render(request.extras).decode() if request.extras else "",
        ),
    )


def requests(
    tx: Transaction,
    *,
    id: BillRequestId | None = None,
    buyer: PartyId | None,
    offset: int,
    limit: int,
) -> Page[BillRequest]:
    rows, total = some_rows(
        tx,
        """select * from billing_request
           where (%(id)s::text is null or id = %(id)s)
             and (%(buyer)s::text is null or buyer = %(buyer)s)""",
        {"id": id, "buyer": buyer},
        order="asked_at desc, id desc",
        offset=offset,
        limit=limit,
    )
    return Page(
        [
            BillRequest(
                id=BillRequestId(row["id"]),
                buyer=PartyId(row["buyer"]),
                asked_at=row["asked_at"],
                bill=row["bill"],
                extras=parse(row["extra"].encode()) if row["extra"] else {},
            )
            for row in rows
        ],
        total,
    )
