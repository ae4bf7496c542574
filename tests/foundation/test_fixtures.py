"""The fixtures that all other tests stand on."""

from collections.abc import Callable

from hansa.foundation.database import Database, one_row, run
from hansa.foundation.ids import Ids, OrderId
from hansa.foundation.transaction import Begin


def test_each_database_is_fresh_and_its_own(databases: Callable[[], Database]) -> None:
    first, second = databases(), databases()
    with first.begin() as tx:
        run(tx, "insert into usage_period values ('2026-11', '2026-12-01Z')")
    with second.begin() as tx:
        found = one_row(tx, "select count(*) as found, version() as version from usage_period")
    assert found is not None
    assert found["found"] == 0
    assert found["version"].startswith("PostgreSQL 18")


def test_begin_opens_transactions(begin: Begin) -> None:
    with begin() as tx:
        assert one_row(tx, "select 1 as one") == {"one": 1}


def test_ids_repeat_themselves(ids: Ids) -> None:
    first = ids.new(OrderId)
    assert first.startswith("ord_01a19b45b800")  # milliseconds of 2026-11-02T08:00Z
    assert first != ids.new(OrderId)
