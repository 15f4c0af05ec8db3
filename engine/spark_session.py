"""Start or join a Spark session, and say in a sentence what keeps it from starting."""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import shutil
import socket
import tempfile
import threading
from typing import IO, Any

from engine.errors import ConfigError

MASTERS = ("spark://", "local", "yarn", "k8s://")
REACH_SECONDS = 5.0
"""How long a master has to take a connection."""
READY_SECONDS = 60.0
"""How long a cluster has to run a first, empty job; registering takes Spark up to a minute before that."""
UNLESS_SET = {"spark.sql.optimizer.canChangeCachedPlanOutputPartitioning": "true"}
"""What holds unless ``spark-defaults.conf`` says otherwise. Without it an aggregate that is kept has 200 parts, however
small it is, and whatever reads it starts a task for each."""
WAREHOUSE = "spark.sql.warehouse.dir"
"""Where new tables go. Spark makes the folder, which on this machine would be an empty one where the reader works."""
_LOOPBACK = re.compile(r"localhost|127\.[\d.]+|\[?::1\]?")


def session_of(master: str) -> Any:
    """Start a Spark session, or join the one that this process has.

    Parameters
    ----------
    master : str
        ``local[2]``, ``spark://host:port``, ``yarn``. What else Spark should know (memory, a catalog, packages) it
        reads from ``spark-defaults.conf`` in the folder that the environment variable ``SPARK_CONF_DIR`` names.

    Returns
    -------
    pyspark.sql.SparkSession

    Raises
    ------
    ConfigError
        If the master is unknown, Spark or Java is not installed, the process has a session with another master, or
        the cluster does not answer: within `REACH_SECONDS` if nothing listens there, within two minutes if what
        listens is no Spark master or has no worker to spare.
    """
    if not master.startswith(MASTERS):
        raise ConfigError(f"'--backend {master}' is unknown; allowed are duckdb, or a Spark master such as local[2].")
    try:
        from pyspark import SparkContext
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise ConfigError(
            f"'--backend {master}' needs Spark; install it with: .venv/bin/pip install 'ibis-framework[pyspark]'"
        ) from error
    context = SparkContext._active_spark_context
    if context is None:
        _find_java(master)
        _reach(master)
        context = _start(master)
    elif context.master != master:
        raise ConfigError(
            f"'--backend {master}' differs from the Spark session of this process, '{context.master}'; "
            "name that one, or stop it."
        )
    return SparkSession.builder.getOrCreate()


def is_near(master: str) -> bool:
    """Tell whether the master is this machine, so that nothing needs to reach the driver from outside."""
    hosts = _addresses(master)
    return master.startswith("local") or bool(hosts and all(_LOOPBACK.fullmatch(host) for host, _ in hosts))


def _addresses(master: str) -> list[tuple[str, str]]:
    """Return host and port of every master of a standalone cluster."""
    if not master.startswith("spark://"):
        return []
    return [(host, port) for host, _, port in (part.rpartition(":") for part in master[8:].split(","))]


def _find_java(master: str) -> None:
    """Refuse where there is no Java."""
    home = os.environ.get("JAVA_HOME")
    if shutil.which("java", path=os.path.join(home, "bin") if home else None) is None:
        where = f"in JAVA_HOME ('{home}')" if home else "on the path"
        raise ConfigError(
            f"'--backend {master}' needs Java 17 or 21, on which Spark runs, and none is {where}; install it (on "
            "Debian with: apt-get install default-jre-headless), or leave the option out."
        )


def _reach(master: str) -> None:
    """Refuse a standalone cluster of which no master takes a connection: Spark itself would try for minutes."""
    failures = []
    for host, port in _addresses(master):
        if not (host and port.isdecimal() and int(port) < 65536):
            raise ConfigError(f"'--backend {master}' has no host and port; allowed is spark://HOST:PORT.")
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=REACH_SECONDS).close()
        except TimeoutError:
            failures.append(f"no answer within {REACH_SECONDS:g} seconds")
        except OSError as error:
            failures.append((error.strerror or str(error)).lower())
        else:
            return
    if failures:
        raise ConfigError(
            f"'--backend {master}' cannot be reached ({failures[0]}); check host and port, and that the cluster runs."
        )


def _start(master: str) -> Any:
    """Start Java with Spark in it, and keep what both say out of the output of the command."""
    from pyspark import SparkConf, SparkContext
    from pyspark.java_gateway import launch_gateway

    settings = {
        "spark.app.name": "recommender-lens",
        "spark.log.level": "ERROR",
        "spark.master": master,
        "spark.sql.session.timeZone": "UTC",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    spare = UNLESS_SET
    if is_near(master):
        settings |= {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
        spare = UNLESS_SET | {WAREHOUSE: _passing_folder()}
    conf = SparkConf(loadDefaults=False).setAll(list(settings.items()))
    with tempfile.TemporaryFile() as log:
        try:
            # A Java that an earlier session left running is taken again.
            gateway = SparkContext._gateway or launch_gateway(conf, {"stdout": log, "stderr": log})
            context = SparkContext(conf=_completed(settings, spare, gateway.jvm), gateway=gateway)
        except Exception as error:  # of Java, of the bridge to it, or of Spark
            raise ConfigError(f"'--backend {master}' does not start ({_reason(error, log)}).") from error
    if master.startswith("spark://"):
        _await_worker(context, master)
    return context


def _passing_folder() -> str:
    """Make a folder that is gone when this process is."""
    folder = tempfile.mkdtemp(prefix="spark-warehouse-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _completed(settings: dict[str, str], spare: dict[str, str], java: Any) -> Any:
    """Return what Spark is told: our settings, then those of ``spark-defaults.conf``, then what holds without them."""
    from pyspark import SparkConf

    # Only Java has read the file.
    conf = SparkConf(_jvm=java).setAll(list(settings.items()))
    for name, value in spare.items():
        conf.setIfMissing(name, value)
    return conf


def _reason(error: Exception, log: IO[bytes]) -> str:
    """Return the line that names the cause: of the error if it came from Spark, else of what Java wrote."""
    named = re.findall(r"(?:^|\n)(?:: |Caused by: )?[\w.$]*(?:Exception|Error): (.+)", str(error))
    if named:
        return named[-1].strip().rstrip(".")
    log.seek(0)
    lines = log.read().decode(errors="replace").strip().splitlines()
    told = [line for line in lines if "Exception" in line or "Error" in line or "rror:" in line]
    return (told or lines or [str(error)])[0].strip().rstrip(".")


def _await_worker(context: Any, master: str) -> None:
    """Run an empty job, which a cluster without a free worker would keep waiting forever."""
    done = threading.Event()

    def count() -> None:
        # It fails when it is cancelled below; of any other fault the first query tells.
        with contextlib.suppress(Exception):
            context._jsc.sc().range(0, 1, 1, 1).count()
        done.set()

    threading.Thread(target=count, daemon=True).start()
    if not done.wait(READY_SECONDS):
        context.cancelAllJobs()
        context.stop()
        raise ConfigError(
            f"'--backend {master}' gave no worker within {READY_SECONDS:g} seconds; check that workers have registered "
            "and that one has a core and memory to spare."
        )
