"""Rates files of events with Apache Spark: the same SQL texts, here or on an existing cluster."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import get_ident
from typing import Any

import pyarrow.parquet as pq
from pyspark import SparkContext
from pyspark.sql import SparkSession

from hansa.lifecycle.rating.model.book import EVENT, RATED, Book
from hansa.lifecycle.rating.store import dialect
from hansa.lifecycle.rating.store.files import whole
from hansa.lifecycle.rating.store.parquet import write_table

BROADCAST = 512 << 20
"""Octets up to which a table of the book is sent to every worker instead of sorted and joined."""

SETTINGS: Mapping[str, str] = {
    "spark.sql.ansi.enabled": "true",  # what does not fit is an error and never wraps
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.autoBroadcastJoinThreshold": str(BROADCAST),
    "spark.sql.adaptive.autoBroadcastJoinThreshold": str(BROADCAST),
    "spark.sql.catalogImplementation": "in-memory",
    "spark.ui.showConsoleProgress": "false",
}
LOCAL: Mapping[str, str] = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "2g",
    "spark.sql.shuffle.partitions": "2",
    "spark.ui.enabled": "false",
}
"""For Spark on this machine alone, `local[N]`."""

LOGGING = """\
rootLogger.level = error
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = Spark: %m%n
"""


class Spark:
    """A Spark session with a book in it; a process has one at a time. Threads may share it.

    master: as Spark names it, such as `local[2]` or `spark://host:7077`. folder: for the book's
    tables, and for what Spark lays aside. The workers see it, the events and what is written
    under the same paths as this machine: on a cluster all of it lies on a shared file system.
    """

    def __init__(self, book: Book | None, *, master: str, folder: Path) -> None:
        self._folder = folder.resolve()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._spark = self._session(master)
        try:
            for name, columns in book.tables.items() if book else ():
                path = self._folder / "book" / f"{name}.parquet"
                write_table(path, columns)
                self._spark.read.parquet(path.as_uri()).createOrReplaceTempView(name)
        except BaseException:
            self.close()
            raise

    def _session(self, master: str) -> Any:
        logging = self._folder / "log4j2.properties"
        logging.write_text(LOGGING, encoding="utf-8")
        builder = SparkSession.builder.master(master).appName("hansa rating")
        own = {
            "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={logging.as_uri()}",
            "spark.sql.warehouse.dir": (self._folder / "warehouse").as_uri(),
            "spark.sql.artifact.isolation.enabled": "false",
        }
        local = {**LOCAL, "spark.local.dir": str(self._folder)} if _is_local(master) else {}
        for name, value in {**SETTINGS, **own, **local}.items():
            builder = builder.config(name, value)
        return builder.getOrCreate()

    def rate_file(self, source: Path, rated_to: Path, lines_to: Path) -> None:
        """Rates one file of events into rated rows and into lines, as the kernel does.

        One file is one task: a cluster is kept busy by several threads with a file each.
        """
        self._write("events", ("events", EVENT), source, rated_to, "snappy")
        self._write("lines", ("rated", RATED), rated_to, lines_to, "zstd")

    def measure(
        self, name: str, *, files: Mapping[str, Sequence[Path]], tables: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """The rows of the text `name`. files, tables: what stands for each table of it."""
        views = {table: f"{table}_{get_ident()}" for table in (*files, *tables)}
        for table, paths in files.items():
            read = self._spark.read.parquet(*(path.resolve().as_uri() for path in paths))
            read.createOrReplaceTempView(views[table])
        for table, rows in tables.items():
            path = self._folder / f"{views[table]}.parquet"
            pq.write_table(rows, path)
            self._spark.read.parquet(path.as_uri()).createOrReplaceTempView(views[table])
        found = self._spark.sql(dialect.text(name, "spark", **views)).collect()
        for view in views.values():
            self._spark.catalog.dropTempView(view)
        return [row.asDict() for row in found]

    def _write(
        self, name: str, given: tuple[str, tuple[str, ...]], source: Path, to: Path, codec: str
    ) -> None:
        table, columns = given
        view = f"{table}_{get_ident()}"
        read = self._spark.read.parquet(source.resolve().as_uri()).select(*columns)
        read.createOrReplaceTempView(view)
        try:
            with whole(to) as aside, _folder_of(aside) as parts:
                found = self._spark.sql(dialect.text(name, "spark", **{table: view})).coalesce(1)
                found.write.parquet(parts.resolve().as_uri(), compression=codec)
                (part,) = parts.glob("part-*")
                part.rename(aside)
        finally:
            self._spark.catalog.dropTempView(view)

    def close(self) -> None:
        """Ends the session and its Java process, and takes away what was laid aside."""
        gateway = self._spark.sparkContext._gateway
        self._spark.stop()
        gateway.shutdown()
        gateway.proc.stdin.close()
        gateway.proc.wait()
        SparkContext._gateway = SparkContext._jvm = None
        shutil.rmtree(self._folder, ignore_errors=True)


@contextmanager
def _folder_of(aside: Path) -> Iterator[Path]:
    """A folder for what Spark writes: as many files as it has tasks, and their checksums."""
    folder = aside.with_name(f"{aside.name}-parts")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _is_local(master: str) -> bool:
    return master == "local" or master.startswith("local[")
