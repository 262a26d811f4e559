"""``--multirun``: Hydra's sweeper and launcher drive the verb; each job writes its own output."""

import logging
import sys
import tempfile
from collections.abc import Callable
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, open_dict

from spider.errors import ConfigError, InterruptedRunError
from spider.launch.command_line import CommandLine, literal, quote, unknown_setting
from spider.launch.completion import searching
from spider.launch.composition import (
    VERSION_BASE,
    check_config_dir,
    hydra_words,
    plain,
    without_groups,
)
from spider.launch.configuration import typed_settings
from spider.launch.typed.schema import configuration_class

OWN_BEHAVIOUR = (
    "hydra.job.chdir=false",
    "hydra.output_subdir=null",
    "hydra/job_logging=none",
    "hydra/hydra_logging=none",
)
"""Keep the working folder, write no ``.hydra/``, and use our log instead of Hydra's."""
SWEEP_FOLDER = "hydra.sweep.dir"
NUMBERED = "output"
"""The setting that gets the job's number, unless the settings class names another one."""

logger = logging.getLogger(__name__)


def run_all(main: Callable[[Any], None], verb: str, line: CommandLine) -> None:
    """Run a verb once for each combination of the comma-separated overrides.

    Job n writes to ``output`` with ``-n`` appended, so that jobs share their inputs and nothing
    else. A pipeline's jobs share no artifacts: ``-n`` is appended to ``workspace``. After a job
    fails the others still run; the first failure is raised at the end.

    Raises:
        ConfigError: the verb has no such setting.
    """
    cls = configuration_class(main)
    if message := unknown_setting(cls, line.overrides):
        raise ConfigError(message)
    check_config_dir(line.config_dir)
    failures: list[Exception] = []

    def job(config: DictConfig) -> None:
        # Hydra would turn an exception into a traceback and exit code 1
        if any(isinstance(failure, InterruptedRunError) for failure in failures):
            return
        try:
            attempt(config)
        except Exception as error:
            logger.error("job %d: %s", HydraConfig.get().job.num, error)
            failures.append(error)

    def attempt(config: DictConfig) -> None:
        number = HydraConfig.get().job.num
        config = numbered_config(without_groups(config, line.overrides), cls, number)
        values = plain(config)
        job = HydraConfig.get().job
        logger.info("job %d: %s, in %s", number, job.override_dirname, values[numbered_key(cls)])
        main(typed_settings(cls, values, line.overrides))

    saved = sys.argv
    words = [*hydra_words(line.overrides), *OWN_BEHAVIOUR]
    try:
        # Hydra writes notes on the sweep, which our manifests make superfluous
        with searching(line.config_dir), tempfile.TemporaryDirectory() as notes:
            if not any(word.lstrip("+").startswith(SWEEP_FOLDER) for word in words):
                words.append(f"{SWEEP_FOLDER}={quote(notes)}")
            sys.argv = [saved[0], "--multirun", *words]
            hydra.main(version_base=VERSION_BASE, config_path=None, config_name=verb)(job)()
    finally:
        sys.argv = saved
    if failures:
        raise failures[0]


def numbered_key(cls: type[Any]) -> str:
    """Return the setting that names where a job of a verb writes: ``numbered`` of its class."""
    return str(getattr(cls, "numbered", NUMBERED))


def numbered_config(config: DictConfig, cls: type[Any], number: int) -> DictConfig:
    """Append a job's number to the folder in which the job writes.

    Raises:
        ConfigError: the verb writes no output, so its jobs would overwrite each other's.
    """
    key = numbered_key(cls)
    folder = config.get(key)
    if folder is None:
        raise ConfigError("--multirun needs a verb with an output")
    # before anything is resolved, since other settings may lie in that folder
    with open_dict(config):
        config[key] = literal(f"{folder}-{number}")
    return config
