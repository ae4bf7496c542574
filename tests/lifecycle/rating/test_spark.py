"""One definition, three engines: Spark, DuckDB and the kernel give the same to the last bit."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hansa.foundation import extras
from hansa.foundation.errors import HansaError
from hansa.lifecycle.rating.actions import events as rating
from hansa.lifecycle.rating.actions.engines import measure_on_spark, on_spark
from hansa.lifecycle.rating.actions.measures import lines
from hansa.lifecycle.rating.model.book import LINE_KEY, MOST, RATED
from hansa.lifecycle.rating.rules import kernel
from hansa.lifecycle.rating.store import parquet
from hansa.lifecycle.rating.store.duck import Duck
from tests.lifecycle.rating.points import measured
from tests.lifecycle.rating.worlds import World, calls, world

if TYPE_CHECKING:
    from hansa.lifecycle.rating.store.spark import Spark

WITHOUT = [
    words
    for there, words in (
        (find_spec("pyspark"), "pyspark: `make spark`"),
        (shutil.which("java") or os.environ.get("JAVA_HOME"), "Java 17: openjdk-17-jre-headless"),
    )
    if not there
]
needed = pytest.mark.skipif(bool(WITHOUT), reason=f"no {' and no '.join(WITHOUT)}")

CALLS = 60_000


@pytest.fixture(scope="module")
def here() -> World:
    return world(20261101)


@pytest.fixture(scope="module")
def spark(here: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spark]:
    folder = tmp_path_factory.mktemp("engine") / "spark"
    from hansa.lifecycle.rating.store.spark import Spark

    with closing(Spark(here.book(), master="local[2]", folder=folder)) as engine:
        assert "SparkSubmit" in processes()
        yield engine
    assert not folder.exists()
    names = ("artifacts", "derby.log", "metastore_db", "spark-warehouse")
    assert [name for name in names if Path(name).exists()] == []
    assert "SparkSubmit" not in processes()


def processes() -> str:
    """The command lines of the processes that this one started and that still run."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            if f"PPid:\t{os.getpid()}\n" in status.read_text():
                found.append(status.with_name("cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return "\n".join(found)


@needed
def test_the_same_from_three_engines(here: World, spark: Spark, tmp_path: Path) -> None:
    source = tmp_path / "events.parquet"
    parquet.write_table(source, calls(here, CALLS, 1).events)
    rating.rate_file(
        kernel.packed(here.book()),
        source,
        rated_to=tmp_path / "kernel.parquet",
        lines_to=tmp_path / "kernel-lines.parquet",
    )
    duck = Duck(here.book(), threads=2, spill=tmp_path / "spill")
    duck.rate_file(source, tmp_path / "duck.parquet", tmp_path / "duck-lines.parquet")
    duck.close()
    spark.rate_file(source, tmp_path / "spark.parquet", tmp_path / "spark-lines.parquet")
    rows = {name: ordered(tmp_path / f"{name}.parquet") for name in ("kernel", "duck", "spark")}
    assert len(rows["kernel"]) > CALLS
    assert rows["spark"].equals(rows["kernel"])
    assert rows["duck"].equals(rows["kernel"])
    added = [ordered(tmp_path / f"{name}-lines.parquet") for name in ("duck", "spark")]
    assert added[0].equals(added[1])
    left = {path.name for path in tmp_path.iterdir()} - {"spill", "events.parquet"}
    assert left == {f"{one}{part}.parquet" for one in rows for part in ("", "-lines")}


def ordered(path: Path) -> Any:
    """A file as a table in a fixed order, with its types."""
    table = pq.read_table(path)
    table = table.cast(pa.schema([(field.name, field.type) for field in table.schema]))
    keys = [name for name in (*RATED[:3], *LINE_KEY) if name in table.column_names]
    return table.sort_by([(name, "ascending") for name in dict.fromkeys(keys)])


@needed
def test_samples_sessions_and_seats_too(spark: Spark, tmp_path: Path) -> None:
    town = measured(7, tmp_path)
    ours = lines(town.metered, town.readings, town.month, spill=tmp_path / "spill")
    theirs = lines(
        town.metered, town.readings, town.month, spill=tmp_path / "spill", run=spark.measure
    )
    assert sum(map(len, ours.values())) > 10
    assert ours == theirs


@needed
def test_no_events_give_empty_files(here: World, spark: Spark, tmp_path: Path) -> None:
    none = {name: column[:0] for name, column in calls(here, 1, 1).events.items()}
    parquet.write_table(tmp_path / "events.parquet", none)
    spark.rate_file(tmp_path / "events.parquet", tmp_path / "rated", tmp_path / "lines")
    assert [len(parquet.read(tmp_path / name)["leg_id"]) for name in ("rated", "lines")] == [0, 0]
    assert tuple(parquet.read(tmp_path / "rated")) == RATED


@needed
def test_what_does_not_fit_is_an_error_and_leaves_nothing(
    here: World, spark: Spark, tmp_path: Path
) -> None:
    given = dict(calls(here, 1000, 1).events)
    given["answered_us"] = np.full(1000, "noon")
    parquet.write_table(tmp_path / "events.parquet", given)
    with pytest.raises(Exception, match="noon"):
        spark.rate_file(tmp_path / "events.parquet", tmp_path / "rated", tmp_path / "lines")
    assert [path.name for path in tmp_path.iterdir()] == ["events.parquet"]


@needed
def test_a_sum_past_64_bits_is_an_error(spark: Spark, here: World, tmp_path: Path) -> None:
    """The kernel makes two lines of it; engines that add up in one go say so, and never wrap."""
    rated = {name: np.zeros(2, np.int64) for name in RATED} | {"charge": np.full(2, MOST)}
    parquet.write_table(tmp_path / "rated", rated)
    duck: Any = Duck(here.book(), threads=1, spill=tmp_path / "spill")
    with pytest.raises(Exception, match=r"(?i)range"):
        duck._copy("lines", "rated", tmp_path / "rated", tmp_path / "lines", "zstd")
    duck.close()
    given: Any = spark
    with pytest.raises(Exception, match=r"(?i)overflow"):
        given._write("lines", ("rated", RATED), tmp_path / "rated", tmp_path / "lines", "zstd")
    assert not (tmp_path / "lines").exists()


def test_without_spark_its_name_is_told(
    here: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "pyspark" else name)
    with (
        pytest.raises(HansaError, match="make spark"),
        on_spark(here.book(), master="local[1]", folder=tmp_path),
    ):
        pass
    monkeypatch.setattr(extras, "find_spec", lambda name: name)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with (
        pytest.raises(HansaError, match="Java 17"),
        on_spark(here.book(), master="local[1]", folder=tmp_path),
    ):
        pass
    with (
        pytest.raises(HansaError, match="Java 17"),
        measure_on_spark(master="local[1]", folder=tmp_path),
    ):
        pass
