"""``--multirun``: Hydra's sweeper and launcher drive the verb; each job writes its own output."""

import logging
import sys
from collections.abc import Callable
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from spider.errors import ConfigError, InterruptedRunError
from spider.launch.command_line import CommandLine, unknown_setting
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
    "hydra/job_logging=none",
    "hydra/hydra_logging=none",
)
"""Keep the working folder, and use our log instead of Hydra's."""

logger = logging.getLogger(__name__)


def run_all(main: Callable[[Any], None], verb: str, line: CommandLine) -> None:
    """Run a verb once for each combination of the comma-separated overrides.

    Job n writes to ``output`` with ``-n`` appended, so that jobs share their inputs and nothing
    else. After a job fails the others still run; the first failure is raised at the end.

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
        values = plain(without_groups(config, line.overrides))
        number = HydraConfig.get().job.num
        values["output"] = numbered_output(values, number)
        logger.info("job %d: %s", number, HydraConfig.get().job.override_dirname)
        main(typed_settings(cls, values, line.overrides))

    saved = sys.argv
    sys.argv = [saved[0], "--multirun", *hydra_words(line.overrides), *OWN_BEHAVIOUR]
    try:
        with searching(line.config_dir):
            hydra.main(version_base=VERSION_BASE, config_path=None, config_name=verb)(job)()
    finally:
        sys.argv = saved
    if failures:
        raise failures[0]


def numbered_output(values: dict[str, Any], number: int) -> str:
    """Return the output folder of one job.

    Raises:
        ConfigError: the verb writes no output, so its jobs would overwrite each other's.
    """
    if "output" not in values:
        raise ConfigError("--multirun needs a verb with an output")
    return f"{values['output']}-{number}"
